// Package sim is the kit for fakes of SaaS applications: pages, lag, reordering, limits, OAuth, faults.
//
// A fake is part of the product: quickstart, `longshore sim` and the tests use it. It obeys the vendor's documentation,
// is seeded and deterministic, and makes events by index so that ten million of them need no memory.
//
// A fake is a http.ServeMux with its routes, given to New together with the kit's gates (Limiter, Issuer.Require). Feed
// is the log of events, Blobs, Queue, Shifting and Changes are other ways by which vendors hand out records, Plant makes
// the values that dlp must find. The fake's author keeps state, routes and shapes; the kit knows no vendor.
package sim
