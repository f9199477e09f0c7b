package sim

import (
	"bytes"
	"maps"
	"testing"
)

func TestDocumentsAreTheSameEachTimeAndHoldWhatIsPlanted(t *testing.T) {
	for i := range DocKinds {
		k := &DocKinds[i]
		d := Doc{Seed: 1, N: 9, Kind: k, Planted: Card}
		b := d.Bytes()
		if !bytes.Equal(b, d.Bytes()) {
			t.Errorf("%s is another each time", k.Ext)
		}
		plain := k.Ext == "txt" || k.Ext == "csv" || k.Ext == "log"
		if plain && !bytes.Contains(b, []byte("paid with card ")) {
			t.Errorf("%s holds no card: %.300s", k.Ext, b)
		}
	}
	for h := range uint64(500) {
		if k := DocKindOf(h, true); !k.readable {
			t.Fatalf("%s was picked for a value and cannot be read", k.Ext)
		}
	}
}

func TestPlantedFilesAreCounted(t *testing.T) {
	want, even := map[string]int{}, func(i int) bool { return i%2 == 0 }
	for i := range 5000 {
		if kind, _ := PlantedFile(7, i); kind != "" && even(i) {
			want[kind]++
		}
	}
	if got := CountPlantedFiles(7, 5000, even); !maps.Equal(got, want) || len(got) != len(plantTypes) {
		t.Errorf("counted %v, want %v", got, want)
	}
}
