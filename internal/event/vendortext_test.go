package event

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestObjectsAreWrittenAsTextsAndWhole(t *testing.T) {
	l := Compile(Table{{"eventName", "event.action"}, {"requestParameters.bucketName", ""}})
	RegisterVendor(Vendor{Module: "joined", Snake: true, Layout: l,
		Texts: map[string]string{"requestParameters": "request_parameters", "additionalEventData": "additional_eventdata"}})
	f := func(body, want string) {
		t.Helper()
		b := NewBatch(Origin{Module: "joined", Dataset: "joined.log"})
		var v Values
		if err := l.Fill(json.RawMessage(body), &v); err != nil {
			t.Fatal(err)
		}
		b.Add(l, &v).ID("1")
		for w := range Views(b.Take()) {
			for range 3 { // by what was learned of bodies too
				doc := string(AppendECS(nil, w, Encoding{NoClock: true, NoOriginal: true}))
				if !json.Valid([]byte(doc)) || !strings.Contains(doc, `"joined":{"log":`+want+`}`) {
					t.Errorf("%s is %s, want %s", body, doc, want)
				}
			}
			for name, val := range map[string]string{"flattened.request_parameters.bucketName": "b", "request_parameters": "{bucketName=b}"} {
				if got, ok := w.Get("joined.log." + name); strings.Contains(body, `{"bucketName":"b"}`) && (!ok || got != val) {
					t.Errorf("%s of %s is %v, want %q", name, body, got, val)
				}
			}
		}
	}
	f(`{"eventName":"A","requestParameters":{"bucketName":"b"},"readOnly":true}`,
		`{"event_name":"A","request_parameters":"{bucketName=b}","read_only":true,"flattened":{"request_parameters":{"bucketName":"b"}}}`)
	f(`{"requestParameters":{"x":[{"a":1},"q\"é",null,[]],"Y":{"z":true}},"additionalEventData":{"MFAUsed":"No"}}`,
		`{"request_parameters":"{x=[{a=1}, q\"é, null, []], Y={z=true}}","additional_eventdata":"{MFAUsed=No}",`+
			`"flattened":{"request_parameters":{"x":[{"a":1},"q\"é",[]],"Y":{"z":true}},"additional_eventdata":{"MFAUsed":"No"}}}`)
	f(`{"eventName":"A","requestparameters":{"bucketName":"b"}}`,
		`{"event_name":"A","request_parameters":"{bucketName=b}","flattened":{"request_parameters":{"bucketName":"b"}}}`)
	f(`{"eventName":"A","requestParameters":"as text","responseElements":null}`, `{"event_name":"A","request_parameters":"as text"}`)
	f(`{"eventName":"A","requestParameters":[]}`, `{"event_name":"A","request_parameters":"[]","flattened":{"request_parameters":[]}}`)
	for path, want := range map[string]string{"requestParameters.bucketName": "joined.log.flattened.request_parameters.bucketName",
		"requestparameters.bucketName": "joined.log.flattened.request_parameters.bucketName",
		"requestParameters":            "joined.log.request_parameters",
		"additionalEventData":          "joined.log.additional_eventdata", "eventName": "joined.log.event_name"} {
		if got := Exported("joined", "joined.log", path); got != want {
			t.Errorf("%s is at %q, want %q", path, got, want)
		}
	}
}
