package store

// Version is the version of the tables that this program writes. A file of a newer one is refused.
const Version = 2

// fileText is run before there are tables: pages that hold two records, and that can be given back without a pause.
const fileText = `PRAGMA page_size = 16384; PRAGMA auto_vacuum = INCREMENTAL; VACUUM`

// applicationID marks a file as ours: "LSHO".
const applicationID = 0x4c53484f

// schema makes the tables. What is absent is "" rather than NULL, so that NOT of a comparison is what a reader expects.
// Times are nanoseconds since 1970. Columns that hold values compare without regard to ASCII case.
//
// What is written with each record has a place at the end of something, but for the id: an index that is written all over costs
// more the larger it grows. So users and addresses have none of their own. They stand in that of times, where a search reads them
// without the documents. Of kinds an index holds those that are rare: nearly every record is an event.
//
// The words of a record are in an index that keeps neither text nor places: which words follow each other is read in the documents.
var schema = partText(0) + `;
CREATE TABLE documents (
	seq       INTEGER PRIMARY KEY,
	id        TEXT NOT NULL UNIQUE,
	time      INTEGER NOT NULL,
	module    TEXT NOT NULL COLLATE NOCASE,
	dataset   TEXT NOT NULL COLLATE NOCASE,
	tenant    TEXT NOT NULL COLLATE NOCASE,
	kind      TEXT NOT NULL COLLATE NOCASE,
	action    TEXT NOT NULL COLLATE NOCASE,
	outcome   TEXT NOT NULL COLLATE NOCASE,
	user      TEXT NOT NULL COLLATE NOCASE,
	source_ip TEXT NOT NULL COLLATE NOCASE,
	doc       TEXT NOT NULL
);
CREATE INDEX documents_time ON documents (time, dataset, kind, action, outcome, user, source_ip);
CREATE INDEX documents_dataset ON documents (dataset, time);
CREATE INDEX documents_kind ON documents (kind, time) WHERE kind <> 'event';
CREATE INDEX documents_action ON documents (action, time);

CREATE TABLE states (
	seq     INTEGER PRIMARY KEY,
	id      TEXT NOT NULL UNIQUE,
	version INTEGER NOT NULL,
	time    INTEGER NOT NULL,
	deleted INTEGER NOT NULL,
	module  TEXT NOT NULL COLLATE NOCASE,
	dataset TEXT NOT NULL COLLATE NOCASE,
	tenant  TEXT NOT NULL COLLATE NOCASE,
	type    TEXT NOT NULL COLLATE NOCASE,
	native  TEXT NOT NULL COLLATE NOCASE,
	name    TEXT NOT NULL COLLATE NOCASE,
	doc     TEXT NOT NULL
);
CREATE INDEX states_time ON states (time);
CREATE INDEX states_type ON states (type, time);
CREATE VIRTUAL TABLE states_text USING fts5 (words, content='', contentless_delete=1, detail=none, tokenize='ascii');

CREATE TABLE letters (
	seq    INTEGER PRIMARY KEY,
	id     TEXT NOT NULL UNIQUE,
	time   INTEGER NOT NULL,
	type   TEXT NOT NULL,
	reason TEXT NOT NULL,
	doc    TEXT NOT NULL
);
`

// fromOne makes the tables of version 2 of those of version 1, which had no views. It copies nothing.
const fromOne = `
ALTER TABLE entities RENAME TO states;
ALTER TABLE entities_text RENAME TO states_text;
`
