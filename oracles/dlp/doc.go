// Package dlp asks python-stdnum, a library of the checks of national numbers that is nobody's here, whether the detectors of such
// numbers decide as it does.
package dlp
