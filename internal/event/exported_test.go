package event

import "testing"

func TestAFieldOfTheProviderIsNamedAsItIsExported(t *testing.T) {
	layout := Compile(Table{{"eventType", ""}, {"debugContext.debugData.requestUri", ""}, {"target[0].alternateId", ""}})
	RegisterVendor(Vendor{Module: "named", Root: "named", Snake: true, Layout: layout})
	RegisterVendor(Vendor{Module: "asSent", Names: map[string]string{"protopayload.servicename": "service.name"}})
	f := func(module, dataset, path, want string) {
		t.Helper()
		if got := Exported(module, dataset, path); got != want {
			t.Errorf("%s of %s is %q, want %q", path, module, got, want)
		}
	}
	f("named", "named.log", "eventType", "named.event_type")
	f("named", "named.log", "debugContext.debugData.requestUri", "named.debug_context.debug_data.request_uri")
	f("named", "named.log", "debugcontext.DEBUGDATA.requesturi", "named.debug_context.debug_data.request_uri")
	f("named", "named.log", "target.alternateid", "named.target.alternate_id")
	f("named", "named.log", "notInTheTable.isProxy", "named.not_in_the_table.is_proxy")
	f("asSent", "asSent.log", "Parameters.ForwardTo", "asSent.log.Parameters.ForwardTo")
	f("asSent", "asSent.log", "protoPayload.Servicename", "service.name")
	f("asSent", "saas.finding", "Parameters", "")
	f("nobody", "nobody.log", "a", "")
	f("named", "named.log", "", "")
}
