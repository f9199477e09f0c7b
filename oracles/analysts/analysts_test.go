package analysts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/longshore-dev/longshore/oracles/backends"
	"github.com/longshore-dev/longshore/oracles/procs"
)

// TestEveryQuestionIsAnsweredAsTheStoryWasWritten tells the collector the story, and asks Elasticsearch, OpenSearch and SQLite
// each question as its page says.
func TestEveryQuestionIsAnsweredAsTheStoryWasWritten(t *testing.T) {
	all := questions(t)
	at, open := backends.Elasticsearch(t), backends.StartOpenSearch(t).Addr
	path := tell(t, story(time.Now().UTC().Truncate(time.Minute)), procs.M{"elasticsearch": procs.M{"endpoints": []string{at}},
		"elasticsearch/open": procs.M{"endpoints": []string{open}, "flavor": "opensearch"}})
	db, err := sql.Open("sqlite", "file:"+path+"?mode=ro")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	for _, server := range []string{at, open} {
		if _, err := ask(t.Context(), server+"/*/_refresh", ""); err != nil {
			t.Fatal(err)
		}
	}
	for _, q := range all {
		t.Run(q.name, func(t *testing.T) {
			want := answers[q.name]
			check := func(who string, rows [][]string, err error) {
				t.Helper()
				if err != nil {
					t.Errorf("%s: %v", who, err)
				} else if got := q.lines(rows); !slices.Equal(got, want) {
					t.Errorf("%s answers\n%s\nwant\n%s", who, strings.Join(got, "\n"), strings.Join(want, "\n"))
				}
			}
			rows, err := q.search(t.Context(), at)
			check("Elasticsearch", rows, err)
			rows, err = q.search(t.Context(), open)
			check("OpenSearch", rows, err)
			rows, err = q.query(t.Context(), db)
			check("SQLite", rows, err)
			everyConditionCounts(t, q, at)
		})
	}
}

// search asks by Query DSL.
func (q *question) search(ctx context.Context, at string) ([][]string, error) {
	var sets [][][]string
	for _, b := range q.bodies {
		answer, err := ask(ctx, at+"/"+b.index+"/_search", b.text)
		if err != nil {
			return nil, err
		}
		rows, err := b.take(answer)
		if err != nil {
			return nil, err
		}
		sets = append(sets, b.kept(rows))
	}
	if q.join != nil {
		return q.join.of(sets[0], sets[1]), nil
	}
	return sets[0], nil
}

// ask posts a body. An answer of which a shard is missing is none.
func ask(ctx context.Context, url, text string) (answer any, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	req.Close = true
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	got, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %.800s", url, resp.Status, got)
	}
	var shards struct {
		Shards struct{ Failed int } `json:"_shards"`
	}
	err = errors.Join(err, json.Unmarshal(got, &answer), json.Unmarshal(got, &shards))
	if err == nil && shards.Shards.Failed > 0 {
		err = fmt.Errorf("%s: %d shards failed: %.800s", url, shards.Shards.Failed, got)
	}
	return answer, err
}

// query asks by SQL.
func (q *question) query(ctx context.Context, db *sql.DB) (out [][]string, err error) {
	rows, err := db.QueryContext(ctx, q.sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	for err == nil && rows.Next() {
		cells, into := make([]any, len(names)), make([]any, len(names))
		for i := range cells {
			into[i] = &cells[i]
		}
		err = rows.Scan(into...)
		row := make([]string, len(cells))
		for i, v := range cells {
			row[i] = word(v)
		}
		out = append(out, row)
	}
	return out, errors.Join(err, rows.Err())
}
