// Package label reads the sensitivity labels of Microsoft Purview (Information Protection) in a file, and writes them.
//
// It reads them where [MS-OFFCRYPTO] 2.6 and Microsoft's page "MIP SDK metadata" say that they are: in the part LabelInfo and in
// the custom properties of Word, Excel and PowerPoint files, and in the header msip_labels of a message. Of PDF and OpenDocument
// files no document names the place, and encrypted documents have one of their own (2.6.2): of those no labels are told.
//
// It promises: no input makes it fail, loop or take more than its limits allow; what is malformed is told, not guessed. What is
// written changes a file in as few bytes as it can: every other part keeps its packed bytes, its place and its header.
//
// It does not mark or encrypt content, and knows nothing of the labels that a tenant has: an id is written as it was given.
package label
