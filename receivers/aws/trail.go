package aws

import (
	"cmp"
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/saas"
)

const (
	visible   = 300 * time.Second // for which a message that was received is shown to nobody else
	poisonous = 5                 // receipts of a message after which it is left to the queue's own rules
	perBatch  = 10                // messages at a time, the vendor's most
)

// message is one of a queue.
type message struct {
	ReceiptHandle, Body string
	Attributes          struct{ ApproximateReceiveCount string }
}

func (m *message) received() int {
	n, _ := strconv.Atoi(m.Attributes.ApproximateReceiveCount)
	return n
}

// letter is the body of a message: a notification of S3, in an envelope of SNS or not, one of EventBridge, or CloudTrail's own.
type letter struct {
	Type, Message string // of SNS
	Event         string // s3:TestEvent
	Records       []json.RawMessage
	S3Bucket      string   // of CloudTrail
	S3ObjectKey   []string //
	Source        string   // of EventBridge
	Kind          string   `json:"detail-type"`
	Region        string
	Account, Time string
	Detail        json.RawMessage
}

// notice is a record of S3.
type notice struct {
	AwsRegion, EventName string
	S3                   struct {
		Bucket struct{ Name string }
		Object struct{ Key, VersionId string }
	}
}

// read opens the envelopes of a body. ok false = it is none of these.
func (l *letter) read(body string) (ok bool) {
	if json.Unmarshal([]byte(body), l) != nil {
		return false
	}
	if l.Type == "Notification" {
		inner := l.Message
		*l = letter{}
		return l.read(inner)
	}
	return l.Event == "s3:TestEvent" || len(l.Records) > 0 || l.S3Bucket != "" || l.Kind != ""
}

// found is an object of a bucket.
type found struct {
	bucket
	Key string
}

// objects are the objects that a letter tells of.
func (l *letter) objects() (list []found) {
	for _, raw := range l.Records {
		var n notice
		if json.Unmarshal(raw, &n) != nil || n.S3.Bucket.Name == "" {
			continue
		}
		if key, err := url.QueryUnescape(n.S3.Object.Key); err == nil {
			list = append(list, found{bucket{Name: n.S3.Bucket.Name, Region: n.AwsRegion}, key})
		}
	}
	for _, key := range l.S3ObjectKey {
		list = append(list, found{bucket{Name: l.S3Bucket}, key})
	}
	if d := l.Detail; l.Source == "aws.s3" { // where the key is as it is
		list = append(list, found{bucket{Name: saas.TextAt(d, "bucket", "name"), Region: l.Region}, saas.TextAt(d, "object", "key")})
	}
	return list
}

// isTrail says whether an object is a file of a trail: neither a digest nor what else may lie in the bucket.
func isTrail(key string) bool {
	return strings.Contains(key, "_CloudTrail_") && strings.Contains(key, "/CloudTrail/") &&
		(strings.HasSuffix(key, ".json.gz") || strings.HasSuffix(key, ".json"))
}

// queue asks something of a queue.
func (c *client) queue(operation, queueURL string, in params) saas.Req {
	region := ""
	if u, err := url.Parse(queueURL); err == nil {
		if parts := strings.Split(u.Hostname(), "."); len(parts) > 2 && regionName.MatchString(parts[1]) {
			region = parts[1]
		}
	}
	in["QueueUrl"] = queueURL
	return c.json("sqs", region, "", operation, in)
}

// follow reads a queue until it gives less than it could, waiting for so many seconds, or until a time: each reads what a
// message is about. A message
// is deleted when all it led to is accepted or noted; one that cannot be read comes again, and after some times is what the queue's
// own rules make of it.
func (c *client) follow(ctx context.Context, r *saas.Run, queueURL string, wait int, until time.Time, each reading) error {
	for until.IsZero() || r.Now().Before(until) {
		rep, err := r.Do(ctx, c.queue("ReceiveMessage", queueURL, params{"MaxNumberOfMessages": perBatch, "WaitTimeSeconds": wait,
			"VisibilityTimeout": int(visible.Seconds()), "MessageSystemAttributeNames": []string{"ApproximateReceiveCount", "SentTimestamp"}}))
		if err != nil {
			return err
		}
		var in struct{ Messages []message }
		if err := rep.Into(&in); err != nil || len(in.Messages) == 0 {
			return err
		}
		if err := c.batch(ctx, r, queueURL, in.Messages, each); err != nil || len(in.Messages) < perBatch {
			return err
		}
	}
	return nil
}

// reading reads what a message is about.
type reading func(ctx context.Context, r *saas.Run, m *message) error

// batch reads what messages are about, commits, and deletes those that were read. Of those that cannot be read the last error
// counts, unless they have come too often.
func (c *client) batch(ctx context.Context, r *saas.Run, queueURL string, list []message, each reading) error {
	began := r.Now()
	var read []map[string]any
	var failed error
	for i := range list {
		m := &list[i]
		if r.Now().Sub(began) > visible/3 { // it would be shown to others while it is read
			_, err := r.Do(ctx, c.queue("ChangeMessageVisibility", queueURL, params{"ReceiptHandle": m.ReceiptHandle,
				"VisibilityTimeout": int(visible.Seconds())}))
			if err != nil {
				failed = err
				break
			}
		}
		switch err := each(ctx, r, m); {
		case err == nil:
			read = append(read, map[string]any{"Id": strconv.Itoa(i), "ReceiptHandle": m.ReceiptHandle})
		case ctx.Err() != nil:
			return err
		case m.received() < poisonous:
			failed = err
		case m.received() == poisonous:
			r.Gap(r.Now(), r.Now(), "a message of the queue came "+strconv.Itoa(poisonous)+" times and cannot be read: "+err.Error())
		}
	}
	if err := r.Commit(nil); err != nil {
		return err
	}
	if len(read) > 0 {
		rep, err := r.Do(ctx, c.queue("DeleteMessageBatch", queueURL, params{"Entries": read}))
		if err == nil {
			_, err = rep.Raw() // what was not deleted comes again, and is known
		}
		if err != nil {
			return err
		}
	}
	return failed
}

// pending is how long the file of a trail is tried that cannot be read.
const pending = 7 * day

// trailFiles notes the files that a trail delivers, each to be read by itself: those that the queue tells of, and by and by those
// that lay in the bucket before. That a file was noted before, or read, is known by its name.
func (c *client) trailFiles(ctx context.Context, r *saas.Run) error {
	m := listing{Day: r.Since().UTC().Truncate(day), End: r.Now()}
	r.Mark(&m)
	if c.CloudTrail.Bucket == "" || !m.Day.Before(m.End) {
		return c.follow(ctx, r, c.CloudTrail.QueueURL, 20, time.Time{}, c.noteFiles)
	}
	if err := c.follow(ctx, r, c.CloudTrail.QueueURL, 0, r.Now().Add(time.Minute), c.noteFiles); err != nil {
		return err
	}
	return c.backfill(ctx, r, m)
}

// noteFiles makes parts of the files that a message tells of, and of the event that EventBridge brings.
func (c *client) noteFiles(_ context.Context, r *saas.Run, m *message) error {
	var l letter
	if !l.read(m.Body) {
		return r.Emit("", json.RawMessage(m.Body)) // as it is no event it is set aside
	}
	until := r.Now().Add(pending)
	if strings.HasSuffix(l.Kind, "via CloudTrail") {
		r.Put(saas.Item{Stream: "cloudtrail", Key: "event/" + saas.TextAt(l.Detail, "eventID"), Data: l.Detail, Until: until})
		return nil
	}
	for _, o := range l.objects() {
		c.noteFile(r, o, until)
	}
	return nil
}

// noteFile makes a part of the file of a trail; nothing of what else may lie in the bucket.
func (c *client) noteFile(r *saas.Run, o found, until time.Time) {
	if isTrail(o.Key) {
		data, _ := json.Marshal(bucket{Name: o.Name, Region: o.Region}) // a trail's bucket is opened by its policy
		r.Put(saas.Item{Stream: "cloudtrail", Key: o.Name + "/" + o.Key, Data: data, Until: until})
	}
}

// trailFile reads one file of a trail, or the event that came without one.
func (c *client) trailFile(ctx context.Context, r *saas.Run) error {
	it := r.Item()
	if strings.HasPrefix(it.Key, "event/") {
		return r.Emit("", it.Data)
	}
	at, err := placeOf(it)
	if err != nil {
		return err
	}
	at = c.find(bucket{Name: at.Name, Region: cmp.Or(at.Region, c.CloudTrail.BucketRegion)})
	at.Account = ""
	rep, err := c.object(ctx, r, c.s3(http.MethodGet, at, strings.TrimPrefix(it.Key, at.Name+"/"), ""), at)
	if err != nil {
		return err
	}
	for row, err := range rep.JSON("Records") {
		if err == nil {
			err = r.Emit("", row)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// listing is the mark of the trail's files: how far the bucket is listed that lay there when the agent came.
type listing struct {
	Day   time.Time `json:"day"`
	End   time.Time `json:"end"`
	Above string    `json:"above,omitempty"` // accounts and Regions up to it are listed, of this day
}

// backfill lists, day by day, the files that a trail delivered before the agent came, for a while.
func (c *client) backfill(ctx context.Context, r *saas.Run, m listing) error {
	places, err := c.trailPlaces(ctx, r)
	if err != nil {
		return err
	}
	for until := r.Now().Add(time.Minute); m.Day.Before(m.End) && r.Now().Before(until); m.Day, m.Above = m.Day.Add(day), "" {
		for _, at := range places {
			if at <= m.Above {
				continue
			}
			err := c.listed(ctx, r, at+m.Day.Format("2006/01/02/"), "", "Contents", func(row json.RawMessage) error {
				if key, err := url.QueryUnescape(saas.TextAt(row, "Key")); err == nil {
					c.noteFile(r, found{bucket{Name: c.CloudTrail.Bucket}, key}, m.End.Add(pending))
				}
				return nil
			})
			if err != nil {
				return err
			}
			m.Above = at
			if err := r.Commit(m); err != nil {
				return err
			}
		}
	}
	return r.Commit(m)
}

// trailPlaces are the folders of accounts and Regions in a trail's bucket, in order.
func (c *client) trailPlaces(ctx context.Context, r *saas.Run) (out []string, err error) {
	top := strings.Trim(cmp.Or(c.CloudTrail.Prefix, "AWSLogs"), "/") + "/"
	folders := func(prefix string) (list []string, err error) {
		err = c.listed(ctx, r, prefix, "/", "CommonPrefixes", func(row json.RawMessage) error {
			name, err := url.QueryUnescape(saas.TextAt(row, "Prefix"))
			list = append(list, name)
			return err
		})
		return list, err
	}
	accounts, err := folders(top)
	if err != nil {
		return nil, err
	}
	for i := 0; i < len(accounts); i++ {
		name := strings.TrimSuffix(accounts[i][strings.LastIndexByte(strings.TrimSuffix(accounts[i], "/"), '/')+1:], "/")
		below := accounts[i]
		if accountID.MatchString(name) {
			below += "CloudTrail/"
		} else if !strings.HasPrefix(name, "o-") {
			continue
		}
		list, err := folders(below)
		if err != nil {
			return nil, err
		}
		if accountID.MatchString(name) {
			out = append(out, list...)
		} else {
			accounts = append(accounts, list...) // of an organization
		}
	}
	return out, nil
}

// listed calls f for what lies below a prefix in the trail's bucket.
func (c *client) listed(ctx context.Context, d saas.Doer, prefix, delimiter, rows string, f func(json.RawMessage) error) error {
	b := c.find(bucket{Name: c.CloudTrail.Bucket, Region: c.CloudTrail.BucketRegion})
	b.Account = ""
	return c.eachObject(ctx, d, b, prefix, delimiter, rows, f)
}

// lookup reads what CloudTrail keeps of an account and a Region, newest first: management events of 90 days.
// https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
func (c *client) lookup() saas.PollFunc {
	return saas.Window{Lag: time.Hour, Max: 6 * time.Hour, Sweep: day, Back: 90*day - 5*time.Minute, Read: c.lookUp}.Poll
}

// maxLookup is after how many pages of a window its halves are read instead: at two pages a second it takes minutes.
const maxLookup = 200

func (c *client) lookUp(ctx context.Context, r *saas.Run, from, to time.Time) error {
	account, region, _ := strings.Cut(r.Item().Key, "/")
	in := params{"StartTime": from.Unix(), "EndTime": to.Unix(), "MaxResults": 50}
	n := 0
	return pages(ctx, r, func(next string) saas.Req {
		if n++; next != "" {
			in["NextToken"] = next
		}
		return c.json("cloudtrail", region, account, "LookupEvents", in)
	}, func(p *saas.Reply) saas.Rows { return p.JSON("Events") }, "NextToken", func(row json.RawMessage) error {
		if n > maxLookup && to.Sub(from) > time.Minute {
			return &saas.Error{Outcome: saas.TooMuch}
		}
		if whole := saas.TextAt(row, "CloudTrailEvent"); whole != "" {
			row = json.RawMessage(whole)
		}
		return r.Emit("", row)
	})
}
