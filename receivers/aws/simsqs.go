package aws

import (
	"crypto/md5"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/longshore-dev/longshore/internal/sim"
)

const (
	simTrailQueue  = "trail"
	simObjectQueue = "objects"
	simDead        = 1000 // deliveries, before a message goes to the dead-letter queue: as the connection guide has it
	simQueueKeeps  = 14 * 24 * time.Hour
)

// simQueue is a queue of SQS: a message received is hidden for a while and comes again unless it is deleted, in no order.
type simQueue struct {
	name string
	seed int64
	all  []*simMessage
	dead []*simMessage
	n    uint64 // of messages sent, and receipts
}

type simMessage struct {
	id, body    string
	make        func() string // makes the body when it is received
	sent, first time.Time
	hidden      time.Time
	receipts    []string // all are good until the message is deleted
	count       int
}

// send adds a message, which is seen from at on.
func (q *simQueue) send(body func() string, at time.Time) *simMessage {
	q.n++
	m := &simMessage{id: string(sim.NewRand(q.seed, 40, q.n).UUID(nil)), make: body, sent: at, hidden: at}
	q.all = append(q.all, m)
	return m
}

func (s *simCloud) queueURL(base, name string) string {
	return base + "/" + s.accounts[0].id + "/" + name
}

// queue is the queue that a request names.
func (s *simCloud) queue(c *simCall) (*simQueue, *simError) {
	path := strings.Split(c.text("QueueUrl"), "/")
	if len(path) < 2 {
		return nil, simErr(400, "InvalidAddress", "The address "+c.text("QueueUrl")+" is not valid for this endpoint.")
	}
	account := path[len(path)-2]
	q := s.queues[account+"/"+path[len(path)-1]]
	switch {
	case q != nil && account != c.account.id:
		return nil, simErr(403, "AccessDenied", "Access to the resource "+c.text("QueueUrl")+" is denied.")
	case q == nil, c.region != s.home():
		return nil, simErr(400, "QueueDoesNotExist", "The specified queue does not exist.")
	}
	return q, nil
}

// receive is ReceiveMessage. https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_ReceiveMessage.html
func (s *simCloud) receive(c *simCall) (any, *simError) {
	q, e := s.queue(c)
	if e != nil {
		return nil, e
	}
	most, wait, hide := c.number("MaxNumberOfMessages", 1), c.number("WaitTimeSeconds", 0), c.number("VisibilityTimeout", 30)
	for _, v := range []struct {
		name        string
		n, from, to int
	}{{"MaxNumberOfMessages", most, 1, 10}, {"WaitTimeSeconds", wait, 0, 20}, {"VisibilityTimeout", hide, 0, 43200}} {
		if v.n < v.from || v.n > v.to {
			return nil, simErr(400, "InvalidParameterValue",
				fmt.Sprintf("Value %d for parameter %s is invalid. Reason: Must be between %d and %d, "+
					"if provided.", v.n, v.name, v.from, v.to))
		}
	}
	var asked []string
	for _, list := range []string{"AttributeNames", "MessageSystemAttributeNames"} {
		names, _ := c.in[list].([]any)
		for _, n := range names {
			asked = append(asked, fmt.Sprint(n))
		}
	}
	var out []obj
	for _, m := range q.take(s.o.Now(), most, time.Duration(hide)*time.Second) {
		sum := md5.Sum([]byte(m.body))
		one := obj{"MessageId": m.id, "ReceiptHandle": m.receipts[len(m.receipts)-1], "Body": m.body, "MD5OfBody": hex.EncodeToString(sum[:])}
		has := obj{}
		for name, val := range map[string]string{"SentTimestamp": simMillis(m.sent), "ApproximateReceiveCount": strconv.Itoa(m.count),
			"ApproximateFirstReceiveTimestamp": simMillis(m.first), "SenderId": "AIDAIT2UOQQY3AUEKVGXU"} {
			if slices.Contains(asked, name) || slices.Contains(asked, "All") {
				has[name] = val
			}
		}
		if len(has) > 0 {
			one["Attributes"] = has
		}
		out = append(out, one)
	}
	if out == nil {
		c.linger = time.Duration(wait) * time.Second
		return obj{}, nil
	}
	return obj{"Messages": out}, nil
}

func simMillis(t time.Time) string { return strconv.FormatInt(t.UnixMilli(), 10) }

// linger receives again until a message comes or the time to wait is over.
func (s *simCloud) linger(c *simCall) (out *simReply, e *simError) {
	wait := c.linger
	sim.Await(c.r.Context(), wait, func() bool {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.advance()
		c.linger = 0
		out, e = s.operate(c)
		return e != nil || c.linger == 0
	})
	return out, e
}

// take takes at most n messages and hides them. Fewer come than there are, and in another order.
func (q *simQueue) take(now time.Time, n int, hide time.Duration) (out []*simMessage) {
	q.all = slices.DeleteFunc(q.all, func(m *simMessage) bool {
		over := !m.hidden.After(now) && m.count >= simDead
		if over {
			q.dead = append(q.dead, m)
		}
		return over || now.Sub(m.sent) > simQueueKeeps
	})
	for _, m := range q.all {
		if !m.hidden.After(now) {
			if out = append(out, m); len(out) == 3*n {
				break
			}
		}
	}
	q.n++
	rnd := sim.NewRand(q.seed, 41, q.n)
	for i := range out {
		k := rnd.N(i + 1)
		out[i], out[k] = out[k], out[i]
	}
	if n > 3 && len(out) > 1 && rnd.N(4) == 0 { // of a short poll of few servers
		n = 1 + rnd.N(n)
	}
	out = out[:min(n, len(out))]
	for _, m := range out {
		if m.count++; m.count == 1 {
			m.first, m.body = now, m.make()
		}
		q.n++
		m.hidden, m.receipts = now.Add(hide), append(m.receipts, string(sim.NewRand(q.seed, 42, q.n).Name([]byte("AQEB"), 60)))
	}
	return out
}

// of is the message of a receipt. One that was deleted is none, and that is no error.
func (q *simQueue) of(receipt string) *simMessage {
	for _, m := range q.all {
		if slices.Contains(m.receipts, receipt) {
			return m
		}
	}
	return nil
}

func (q *simQueue) drop(receipt string) *simError {
	if !strings.HasPrefix(receipt, "AQEB") {
		return simErr(400, "ReceiptHandleIsInvalid", `The input receipt handle "`+receipt+`" is not a valid receipt handle.`)
	}
	gone := q.of(receipt)
	q.all = slices.DeleteFunc(q.all, func(m *simMessage) bool { return m == gone })
	return nil
}

func (q *simQueue) hide(receipt string, now time.Time, seconds int) *simError {
	m := q.of(receipt)
	switch {
	case !strings.HasPrefix(receipt, "AQEB"):
		return simErr(400, "ReceiptHandleIsInvalid", `The input receipt handle "`+receipt+`" is not a valid receipt handle.`)
	case m == nil, !m.hidden.After(now):
		return simErr(400, "MessageNotInflight",
			"Value "+receipt+" for parameter ReceiptHandle is invalid. Reason: Message does not exist or is "+
				"not available for visibility timeout change.")
	case seconds < 0 || now.Add(time.Duration(seconds)*time.Second).Sub(m.first) > 12*time.Hour:
		return simErr(400, "InvalidParameterValue", "Total VisibilityTimeout for the message is beyond the limit [43200 seconds]")
	}
	m.hidden = now.Add(time.Duration(seconds) * time.Second)
	return nil
}

func (s *simCloud) deleteMessage(c *simCall) (any, *simError) {
	q, e := s.queue(c)
	if e != nil {
		return nil, e
	}
	return obj{}, q.drop(c.text("ReceiptHandle"))
}

func (s *simCloud) hideMessage(c *simCall) (any, *simError) {
	q, e := s.queue(c)
	if e != nil {
		return nil, e
	}
	return obj{}, q.hide(c.text("ReceiptHandle"), s.o.Now(), c.number("VisibilityTimeout", -1))
}

func (s *simCloud) deleteBatch(c *simCall) (any, *simError) {
	return s.batch(c, func(q *simQueue, one obj) *simError { return q.drop(fmt.Sprint(one["ReceiptHandle"])) })
}

func (s *simCloud) hideBatch(c *simCall) (any, *simError) {
	return s.batch(c, func(q *simQueue, one obj) *simError {
		seconds, _ := one["VisibilityTimeout"].(float64)
		return q.hide(fmt.Sprint(one["ReceiptHandle"]), s.o.Now(), int(seconds))
	})
}

// batch does something for each entry; some may fail.
func (s *simCloud) batch(c *simCall, do func(*simQueue, obj) *simError) (any, *simError) {
	q, e := s.queue(c)
	if e != nil {
		return nil, e
	}
	entries, _ := c.in["Entries"].([]any)
	switch {
	case len(entries) == 0:
		return nil, simErr(400, "EmptyBatchRequest", "There should be at least one DeleteMessageBatchRequestEntry in the request.")
	case len(entries) > 10:
		return nil, simErr(400, "TooManyEntriesInBatchRequest", "Maximum number of entries per request are 10.")
	}
	done, failed, seen := []obj{}, []obj{}, map[string]bool{}
	for _, one := range entries {
		in, _ := one.(obj)
		id := fmt.Sprint(in["Id"])
		if seen[id] {
			return nil, simErr(400, "BatchEntryIdsNotDistinct", "Id "+id+" repeated.")
		}
		seen[id] = true
		if e := do(q, in); e != nil {
			failed = append(failed, obj{"Id": id, "SenderFault": true, "Code": e.code, "Message": e.message})
			continue
		}
		done = append(done, obj{"Id": id})
	}
	return obj{"Successful": done, "Failed": failed}, nil
}

func (s *simCloud) sendMessage(c *simCall) (any, *simError) {
	q, e := s.queue(c)
	if e != nil {
		return nil, e
	}
	m := q.send(func() string { return c.text("MessageBody") }, s.o.Now())
	sum := md5.Sum([]byte(c.text("MessageBody")))
	return obj{"MessageId": m.id, "MD5OfMessageBody": hex.EncodeToString(sum[:])}, nil
}

func (s *simCloud) queueAttributes(c *simCall) (any, *simError) {
	q, e := s.queue(c)
	if e != nil {
		return nil, e
	}
	now, seen, hidden := s.o.Now(), 0, 0
	for _, m := range q.all {
		if m.hidden.After(now) && m.count > 0 {
			hidden++
		} else if !m.hidden.After(now) {
			seen++
		}
	}
	arn := s.arn("sqs", s.home(), s.accounts[0].id, q.name)
	all := obj{"QueueArn": arn, "VisibilityTimeout": "30", "ReceiveMessageWaitTimeSeconds": "0", "MessageRetentionPeriod": "1209600",
		"ApproximateNumberOfMessages": strconv.Itoa(seen), "ApproximateNumberOfMessagesNotVisible": strconv.Itoa(hidden),
		"RedrivePolicy": fmt.Sprintf(`{"deadLetterTargetArn":"%s-dead","maxReceiveCount":%d}`, arn, simDead)}
	names, _ := c.in["AttributeNames"].([]any)
	for name := range all {
		if !slices.Contains(names, any(name)) && !slices.Contains(names, any("All")) {
			delete(all, name)
		}
	}
	return obj{"Attributes": all}, nil
}

func (s *simCloud) queueName(c *simCall) (any, *simError) {
	if s.queues[c.account.id+"/"+c.text("QueueName")] == nil {
		return nil, simErr(400, "QueueDoesNotExist", "The specified queue does not exist.")
	}
	return obj{"QueueUrl": s.queueURL(s.o.BaseOf(c.r), c.text("QueueName"))}, nil
}
