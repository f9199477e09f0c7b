package aws

import (
	"encoding/json"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simEvery    = 5 * time.Minute // between two files of a trail
	simFileMost = 400             // records in a file
	simReach    = 90 * 24 * time.Hour
)

// simTrail is how far the trail has delivered.
type simTrail struct {
	next    time.Time // the window that is closed next
	slot    int       // of the feed
	noted   []simNoted
	pending []*simFile // not delivered yet, by due
	files   []*simFile
	n       uint64
}

// simFile is an object of the trail.
type simFile struct {
	key    string
	place  simPlace
	events []int
	raws   [][]byte // of what the fake was asked to do
	ids    []string // of raws
	due    time.Time
	digest bool
}

// simNoted is an event of what the fake was asked to do.
type simNoted struct {
	place simPlace
	id    string
	at    time.Time
	raw   []byte
}

// log makes the feeds.
func (s *simCloud) log() (err error) {
	s.trail.next = s.o.Start.Truncate(simEvery)
	s.feed, err = sim.NewFeed(s.o, sim.FeedSpec{Events: 2500, MaxLag: 15 * time.Minute, Make: s.generate, Key: s.eventID,
		ReplayKey: simReplayKey})
	if err != nil {
		return err
	}
	o := s.o
	o.Replay, o.Seed, o.Late, o.Events = nil, o.Seed+1, 0, max(8, s.feed.Len()/10)
	s.shaped, err = sim.NewFeed(o, sim.FeedSpec{Make: func(b []byte, _ int, _ time.Time) []byte { return b },
		Key: func(int) string { return "" }})
	if err != nil {
		return err
	}
	first := obj{"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": simS3Stamp(s.o.Start), "Bucket": simTrailBucket + s.suffix(),
		"RequestId": "TESTREQUEST", "HostId": "host"}
	s.queues[s.accounts[0].id+"/"+simTrailQueue].send(func() string { return simBody(first) }, s.o.Start)
	return nil
}

func simBody(v any) string {
	b, _ := json.Marshal(v) // maps, lists, strings and numbers
	return string(b)
}

func (s *simCloud) trailPrefix() string {
	if s.org == "" {
		return "AWSLogs"
	}
	return "AWSLogs/" + s.org
}

// advance does what has come due: closes windows, delivers files, changes objects.
func (s *simCloud) advance() {
	now := s.o.Now()
	for ; !s.trail.next.Add(simEvery).After(now); s.trail.next = s.trail.next.Add(simEvery) {
		s.closeWindow(s.trail.next, s.trail.next.Add(simEvery))
	}
	for len(s.trail.pending) > 0 && !s.trail.pending[0].due.After(now) {
		f := s.trail.pending[0]
		s.trail.pending, s.trail.files = s.trail.pending[1:], append(s.trail.files, f)
		b := s.buckets[simTrailBucket+s.suffix()]
		v := s.put(b, f.key, &simVersion{file: f, at: f.due.UTC().Truncate(time.Second), class: "STANDARD", kind: "application/json",
			meta: map[string]string{"Content-Encoding": "gzip"}})
		s.notice(simTrailQueue, b, f.key, v, "ObjectCreated:Put", "AWS:AROACLOUDTRAIL:trail", f.due)
	}
	for ; s.changes < s.shaped.Len() && !s.shaped.At(s.changes).After(now); s.changes++ {
		s.change(s.changes, s.shaped.At(s.changes))
	}
}

// closeWindow makes the files of what persisted in [from, to), of each account and Region its own.
func (s *simCloud) closeWindow(from, to time.Time) {
	t := &s.trail
	byPlace := map[simPlace]*simFile{}
	add := func(p simPlace) *simFile {
		f := byPlace[p]
		if f == nil || len(f.events)+len(f.raws) == simFileMost {
			f = s.newFile(p, to)
			byPlace[p], t.pending = f, append(t.pending, f)
		}
		return f
	}
	for ; t.slot < s.feed.Slots() && s.feed.At(t.slot).Before(to); t.slot++ {
		s.feed.Slot(t.slot, func(i int) {
			f := add(s.whereabouts(i))
			if f.events = append(f.events, i); sim.Hash(s.o.Seed, 16, uint64(i))%50 == 0 { // it rarely comes twice
				f.events = append(f.events, i)
			}
		})
	}
	for i := range s.feed.Again(from, to) {
		f := add(s.whereabouts(i))
		f.events = append(f.events, i)
	}
	left := t.noted[:0]
	for _, n := range t.noted {
		if !n.at.Before(to) {
			left = append(left, n)
			continue
		}
		f := add(n.place)
		f.raws, f.ids = append(f.raws, n.raw), append(f.ids, n.id)
	}
	t.noted = left
	if from.Minute() == 0 {
		f := s.newFile(simPlace{s.accounts[0], s.home()}, to)
		f.key = strings.Replace(strings.Replace(f.key, "/CloudTrail/", "/CloudTrail-Digest/", 1), "_CloudTrail_", "_CloudTrail-Digest_", 1)
		f.digest = true
		t.pending = append(t.pending, f)
	}
	slices.SortStableFunc(t.pending, func(a, b *simFile) int { return a.due.Compare(b.due) })
}

// newFile names a file that is delivered soon after its window, sometimes minutes later.
func (s *simCloud) newFile(p simPlace, end time.Time) *simFile {
	s.trail.n++
	h := sim.Hash(s.o.Seed, 17, s.trail.n)
	due := end.Add(time.Duration(h%50) * time.Second)
	if h>>8%12 == 0 {
		due = due.Add(time.Duration(h>>16%480) * time.Second)
	}
	end = end.UTC()
	return &simFile{place: p, due: due, key: fmt.Sprintf("%s/%s/CloudTrail/%s/%s/%s_CloudTrail_%s_%sZ_%s.json.gz", s.trailPrefix(),
		p.account.id, p.region,
		end.Format("2006/01/02"), p.account.id, p.region, end.Format("20060102T1504"), s.name(18, s.trail.n, 16))}
}

// fileBytes is what a file holds.
func (s *simCloud) fileBytes(f *simFile) []byte {
	if f.digest {
		return sim.Gzip([]byte(simBody(obj{"awsAccountId": f.place.account.id, "digestS3Bucket": simTrailBucket + s.suffix(),
			"logFiles": []obj{}})))
	}
	b := []byte(`{"Records":[`)
	next := func() {
		if b[len(b)-1] != '[' {
			b = append(b, ',')
		}
	}
	for _, i := range f.events {
		next()
		b = s.feed.Make(b, i)
	}
	for _, raw := range f.raws {
		next()
		b = append(b, raw...)
	}
	return sim.Gzip(append(b, "]}"...))
}

// simNotice is what a queue is told of: an object changed.
type simNotice struct {
	b             *simBucket
	v             *simVersion
	key, kind, by string
	sequencer     string
	n             uint64
	at            time.Time
}

// notice tells a queue that an object changed: in one of the three forms, sometimes twice.
func (s *simCloud) notice(queue string, b *simBucket, key string, v *simVersion, kind, by string, at time.Time) {
	s.minted++
	n := &simNotice{b: b, v: v, key: key, kind: kind, by: by, sequencer: fmt.Sprintf("%016X", 0x0055AED6DCD90000+s.minted), n: s.minted,
		at: at}
	if s.o.Now().Sub(at) > simQueueKeeps {
		return
	}
	q, h := s.queues[s.accounts[0].id+"/"+queue], sim.Hash(s.o.Seed, 19, n.n)
	if queue == simObjectQueue {
		s.told = append(s.told, b.name+"/"+key+"/"+n.sequencer)
	}
	body := func() string { return s.letter(n, h%3) }
	if q.send(body, at); h>>8%16 == 0 {
		q.send(body, at.Add(time.Second))
	}
}

// letter is the notification: of S3, within one of SNS, or of EventBridge.
func (s *simCloud) letter(n *simNotice, form uint64) string {
	if !n.v.marker {
		s.weigh(n.v)
	}
	if form == 2 {
		return simBody(s.bridged(n))
	}
	o := obj{"key": strings.ReplaceAll(url.QueryEscape(n.key), "%2F", "/"), "sequencer": n.sequencer}
	if !n.v.marker {
		o["size"], o["eTag"] = n.v.size, strings.Trim(n.v.etag, `"`)
	}
	if n.b.versioned {
		o["versionId"] = n.v.id
	}
	bucket := obj{"name": n.b.name, "ownerIdentity": obj{"principalId": "A" + strings.ToUpper(s.hex(34, uint64(n.b.n), 13))},
		"arn": s.arn("s3", "", "", n.b.name)}
	body := simBody(obj{"Records": []obj{{"eventVersion": "2.1", "eventSource": "aws:s3", "awsRegion": n.b.region,
		"eventTime": simS3Stamp(n.at),
		"eventName": n.kind, "userIdentity": obj{"principalId": n.by}, "requestParameters": obj{"sourceIPAddress": "203.0.113.24"},
		"responseElements": obj{"x-amz-request-id": strings.ToUpper(s.hex(32, n.n, 16)), "x-amz-id-2": s.hex(33, n.n, 24)},
		"s3":               obj{"s3SchemaVersion": "1.0", "configurationId": "scan", "bucket": bucket, "object": o}}}})
	if form == 0 {
		return body
	}
	return simBody(obj{"Type": "Notification", "MessageId": s.uuid(35, n.n), "TopicArn": s.arn("sns", s.home(), s.accounts[0].id, "notices"),
		"Subject": "Amazon S3 Notification", "Message": body, "Timestamp": simS3Stamp(n.at), "SignatureVersion": "1",
		"Signature":      "c2lnbmF0dXJl",
		"SigningCertURL": "https://sns.invalid/cert.pem", "UnsubscribeURL": "https://sns.invalid/"})
}

// bridged is the notification as EventBridge has it.
func (s *simCloud) bridged(n *simNotice) obj {
	family, _, _ := strings.Cut(n.kind, ":")
	name := map[string]string{"ObjectCreated": "Object Created", "ObjectRemoved": "Object Deleted", "ObjectTagging": "Object Tags Added",
		"ObjectAcl": "Object ACL Updated"}[family]
	if n.kind == "ObjectTagging:Delete" {
		name = "Object Tags Deleted"
	}
	o := obj{"key": n.key, "sequencer": n.sequencer}
	if !n.v.marker {
		o["size"], o["etag"] = n.v.size, strings.Trim(n.v.etag, `"`)
	}
	if n.b.versioned {
		o["version-id"] = n.v.id
	}
	detail := obj{"version": "0", "bucket": obj{"name": n.b.name}, "object": o, "request-id": strings.ToUpper(s.hex(32, n.n, 16)),
		"requester": n.b.owner.id, "source-ip-address": "203.0.113.24"}
	if family == "ObjectCreated" {
		detail["reason"] = "PutObject"
	}
	return obj{"version": "0", "id": s.uuid(36, n.n), "detail-type": name, "source": "aws.s3", "account": n.b.owner.id,
		"time": n.at.UTC().Format(time.RFC3339), "region": n.b.region, "resources": []string{s.arn("s3", "", "", n.b.name)}, "detail": detail}
}

// tell tells the queue of changed objects.
func (s *simCloud) tell(b *simBucket, key string, v *simVersion, kind, by string) {
	if b.notifies {
		s.notice(simObjectQueue, b, key, v, kind, "AWS:"+by, s.o.Now())
	}
}

// change is change i of the objects: somebody writes one again, or tags it.
func (s *simCloud) change(i int, at time.Time) {
	rnd := sim.NewRand(s.o.Seed, 82, uint64(i))
	var with []*simBucket
	for _, b := range s.sortedBuckets() {
		if b.notifies && len(b.objects) > 0 {
			with = append(with, b)
		}
	}
	b := sim.Pick(rnd, with)
	o := sim.Pick(rnd, b.objects)
	was := o.latest()
	if was.marker || was.doc == nil || was.doc.Planted != "" || was.doc.Decoy { // what is planted is there once
		return
	}
	at = at.UTC().Truncate(time.Second)
	if rnd.N(4) == 0 {
		was.tags = [][2]string{{"team", "R&D"}, {"n", fmt.Sprint(i)}}
		s.notice(simObjectQueue, b, o.key, was, "ObjectTagging:Put", "AWS:AROAEXAMPLE:job", at)
		return
	}
	n := *was
	n.at, n.etag, n.locked = at, "", false
	doc := *was.doc
	doc.N += uint64(i) + 7
	n.doc = &doc
	if !b.versioned {
		n.id = "null"
	}
	s.put(b, o.key, &n)
	s.notice(simObjectQueue, b, o.key, &n, "ObjectCreated:Put", "AWS:AROAEXAMPLE:job", at)
}
