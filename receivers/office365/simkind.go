package office365

import (
	"bytes"
	"encoding/json"
	"sort"
	"strconv"
	"strings"

	"github.com/longshore-dev/longshore/internal/sim"
)

// simKindEvent is events of sim.Planted.
const simKindEvent = 1

// simCatalogue are the events: how often they come, their type of content (of simContents), record type, workload, what they are
// about, and the operations.
// https://learn.microsoft.com/office/office-365-management-api/office-365-management-activity-api-schema
const simCatalogue = `
520|0|15|AzureActiveDirectory|logon|UserLoggedIn
110|0|15|AzureActiveDirectory|failed|UserLoginFailed
20|0|15|AzureActiveDirectory|logon|UserLoggedOff
60|0|8|AzureActiveDirectory|user|Add user.;Delete user.;Hard Delete user.;Restore user.;Update user.;Disable account.;Enable account.
30|0|8|AzureActiveDirectory|user|Reset user password.;Change user password.;Set force change user password.
15|0|8|AzureActiveDirectory|user|Update StsRefreshTokenValidFrom Timestamp.
40|0|8|AzureActiveDirectory|group|Add group.;Delete group.;Add member to group.;Remove member from group.;Add owner to group.
20|0|8|AzureActiveDirectory|role|Add member to role.;Remove member from role.;Add eligible member to role.
40|0|8|AzureActiveDirectory|app|Consent to application.;Add delegated permission grant.;Add OAuth2PermissionGrant.
20|0|8|AzureActiveDirectory|app|Remove delegated permission grant.;Remove OAuth2PermissionGrant.
20|0|8|AzureActiveDirectory|app|Add app role assignment to service principal.;Add app role assignment grant to user.
20|0|8|AzureActiveDirectory|app|Add service principal.;Remove service principal.;Add service principal credentials.
10|0|8|AzureActiveDirectory|app|Update application – Certificates and secrets management 
10|0|8|AzureActiveDirectory|policy|Add policy.;Update policy.;Add conditional access policy.;Update conditional access policy.
5|0|8|AzureActiveDirectory|policy|Delete conditional access policy.;Set federation settings on domain.;Set domain authentication.
5|0|8|AzureActiveDirectory|policy|Add verified domain.;Set Company Information.;Set DirSyncEnabled flag.
400|2|6|*|file|FileAccessed;FileAccessedExtended;FilePreviewed;FileDownloaded;FileSyncDownloadedFull;PageViewed
250|2|6|*|file|FileUploaded;FileSyncUploadedFull;FileModified;FileModifiedExtended;FileCheckedIn;FileCopied;FileMoved;FileRenamed
80|2|6|*|file|FileRecycled;FileDeleted;FolderRecycled;FolderDeleted;FileRestored;FolderRestored;FileMalwareDetected
20|2|6|*|file|FileDeletedFirstStageRecycleBin;FileDeletedSecondStageRecycleBin
30|2|6|*|file|FileSensitivityLabelApplied;FileSensitivityLabelChanged;FileSensitivityLabelRemoved
90|2|14|*|share|AnonymousLinkCreated;AnonymousLinkUpdated;AnonymousLinkRemoved;AnonymousLinkUsed
50|2|14|*|share|CompanyLinkCreated;CompanyLinkRemoved;SharedLinkCreated;SharedLinkDisabled
60|2|14|*|share|SecureLinkCreated;AddedToSecureLink;RemovedFromSecureLink;SharingSet;SharingRevoked
30|2|14|*|share|SharingInvitationCreated;SharingInvitationAccepted;SharingInvitationRevoked
15|2|14|*|share|AccessRequestCreated;AccessRequestApproved;AccessRequestRejected
20|2|4|SharePoint|site|SiteCollectionAdminAdded;SiteCollectionAdminRemoved;SiteCollectionCreated;SharingPolicyChanged;SitePermanentlyDeleted
10|2|4|SharePoint|site|SignInEvent
60|1|1|Exchange|command|New-InboxRule;Set-InboxRule;Set-Mailbox;Add-MailboxPermission;Add-RecipientPermission
20|1|1|Exchange|command|New-TransportRule;Set-TransportRule;Set-AdminAuditLogConfig;Disable-AntiPhishRule
70|1|50|Exchange|mail|MailItemsAccessed
80|1|2|Exchange|mail|Send;SendAs;SendOnBehalf;MailboxLogin;UpdateInboxRules
40|1|3|Exchange|mail|HardDelete;SoftDelete;MoveToDeletedItems
60|3|25|MicrosoftTeams|team|TeamsSessionStarted;TeamCreated;MemberAdded;MemberRemoved;MemberRoleChanged;TeamSettingChanged
20|3|25|MicrosoftTeams|team|AppInstalled;BotAddedToTeam
20|3|40|SecurityComplianceCenter|alert|AlertTriggered;AlertEntityGenerated
15|3|24|SecurityComplianceCenter|search|SearchCreated;SearchExported;CaseAdded
10|3|83|PublicEndpoint|label|SensitivityLabelApplied
10|3|9999|Tomorrow|other|SomethingOfTomorrow
40|4|11|SharePoint|dlp|DlpRuleMatch;DlpRuleUndo;DlpInfo
15|4|13|Exchange|dlp|DlpRuleMatch;DlpRuleUndo
10|4|63|Endpoint|dlp|DlpRuleMatch`

// simKind is a kind of events; it comes for draws below upTo.
type simKind struct {
	content         int8
	record          int
	workload, about string
	operations      []string
	upTo            int
}

// simKinds is the catalogue.
var simKinds = func() (all []simKind) {
	sum := 0
	for line := range strings.SplitSeq(strings.Trim(simCatalogue, "\n"), "\n") {
		w := strings.Split(line, "|")
		often, _ := strconv.Atoi(w[0])
		content, _ := strconv.Atoi(w[1])
		record, _ := strconv.Atoi(w[2])
		sum += often
		all = append(all, simKind{int8(content), record, w[3], w[4], strings.Split(w[5], ";"), sum})
	}
	return all
}()

// kindOf is the kind of event i. The first events are of each type of content in turn: a small fake has all of them.
func (s *simOrg) kindOf(i int) *simKind {
	rnd := sim.NewRand(s.o.Seed, 16, uint64(i))
	for {
		draw := rnd.N(simKinds[len(simKinds)-1].upTo)
		k := &simKinds[sort.Search(len(simKinds), func(k int) bool { return draw < simKinds[k].upTo })]
		if i >= 2*len(simContents) || int(k.content) == i%len(simContents) {
			return k
		}
	}
}

func (s *simOrg) eventID(i int) string { return s.uuid(17, uint64(i)) }

// simReplayed is what the fake must know of an event that it did not make.
type simReplayed struct {
	ID, Workload string
	RecordType   int
}

func (a *simActivity) replayed(raw []byte) string {
	var e simReplayed
	_ = json.Unmarshal(raw, &e) // it was an object when it was read
	if e.ID == "" {
		return strconv.FormatUint(sim.KeySum(string(bytes.TrimSpace(raw))), 16)
	}
	return e.ID
}

// simTypeOf is the type of content that a replayed event belongs to.
func simTypeOf(raw []byte) int8 {
	var e simReplayed
	_ = json.Unmarshal(raw, &e)
	switch {
	case e.RecordType == 11 || e.RecordType == 13 || e.RecordType == 33 || e.RecordType == 63:
		return 4
	case e.Workload == "AzureActiveDirectory":
		return 0
	case e.Workload == "Exchange":
		return 1
	case e.Workload == "SharePoint" || e.Workload == "OneDrive":
		return 2
	}
	return 3
}
