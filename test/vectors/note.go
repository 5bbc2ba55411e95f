// Makes and checks go-log.json with the Go project's own transparency log code, golang.org/x/mod/sumdb/note and
// sumdb/tlog: an implementation that shares nothing with schema/log. Only for the hand; the tests read the file.
//
// On Debian, with the packages golang-go and golang-golang-x-mod-dev (0.7.0):
//
//	export GO111MODULE=off GOPATH=/usr/share/gocode
//	go run test/vectors/note.go make > test/vectors/go-log.json
//	go run test/vectors/note.go check < test/vectors/go-log.json
//
// The seeds are bytes that say so themselves: 32 times 0x01 for the log, 32 times 0x02 for the witness.
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A signed text: each key's verifier key, and the note.
type signed struct {
	Keys []string `json:"keys"`
	Note string   `json:"note"`
}

type inclusion struct {
	Index int64    `json:"index"`
	Size  int64    `json:"size"`
	Proof []string `json:"proof"`
}

type consistency struct {
	From  int64    `json:"from"`
	To    int64    `json:"to"`
	Proof []string `json:"proof"`
}

type file struct {
	Source      string            `json:"source"`
	Notes       []signed          `json:"notes"`
	Entries     string            `json:"entries"`
	Roots       map[string]string `json:"roots"`
	Inclusion   []inclusion       `json:"inclusion"`
	Consistency []consistency     `json:"consistency"`
	Tiles       tiles             `json:"tiles"`
}

// Tiles of 256 hashes: their names, and SHA-256 over "name SHA-256(tile)\n" of each in this order.
type tiles struct {
	Size   int64    `json:"size"`
	Paths  []string `json:"paths"`
	Digest string   `json:"digest"`
}

type hashes []tlog.Hash

func (h hashes) ReadHashes(indexes []int64) ([]tlog.Hash, error) {
	read := make([]tlog.Hash, len(indexes))
	for i, index := range indexes {
		read[i] = h[index]
	}
	return read, nil
}

// An Ed25519 key under a name, as a signer or verifier of notes: type 1 or, with a time, type 4.
type key struct {
	name    string
	private ed25519.PrivateKey
	public  ed25519.PublicKey
	kind    byte
	time    uint64
}

func (k key) Name() string { return k.name }

func (k key) KeyHash() uint32 {
	hash := sha256.Sum256(append([]byte(k.name+"\n"+string(rune(k.kind))), k.public...))
	return binary.BigEndian.Uint32(hash[:])
}

func cosigned(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

func (k key) Sign(text []byte) ([]byte, error) {
	if k.kind == 1 {
		return ed25519.Sign(k.private, text), nil
	}
	signature := make([]byte, 8)
	binary.BigEndian.PutUint64(signature, k.time)
	return append(signature, ed25519.Sign(k.private, cosigned(k.time, text))...), nil
}

func (k key) Verify(text, signature []byte) bool {
	if k.kind == 1 {
		return ed25519.Verify(k.public, text, signature)
	}
	if len(signature) != 72 {
		return false
	}
	return ed25519.Verify(k.public, cosigned(binary.BigEndian.Uint64(signature), text), signature[8:])
}

func (k key) vkey() string {
	material := append([]byte{k.kind}, k.public...)
	return fmt.Sprintf("%s+%08x+%s", k.name, k.KeyHash(), base64.StdEncoding.EncodeToString(material))
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}

func keyOf(name string, seed, kind byte, time uint64) key {
	private := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{seed}, 32))
	return key{name, private, private.Public().(ed25519.PublicKey), kind, time}
}

// The verifier of a text form: the library's own for type 1, which it knows.
func verifierOf(vkey string) note.Verifier {
	if verifier, err := note.NewVerifier(vkey); err == nil {
		return verifier
	}
	parts := strings.SplitN(vkey, "+", 3)
	material, err := base64.StdEncoding.DecodeString(parts[2])
	must(err)
	k := key{name: parts[0], public: material[1:], kind: material[0]}
	if k.vkey() != vkey {
		log.Fatalf("%s is not %s", vkey, k.vkey())
	}
	return k
}

func entry(i int64) []byte { return []byte(fmt.Sprintf("entry %d", i)) }

func stored(size int64) hashes {
	var all hashes
	for i := int64(0); i < size; i++ {
		added, err := tlog.StoredHashes(i, entry(i), all)
		must(err)
		all = append(all, added...)
	}
	return all
}

func encoded(proof []tlog.Hash) []string {
	texts := []string{}
	for _, hash := range proof {
		texts = append(texts, hash.String())
	}
	return texts
}

func decoded(texts []string) []tlog.Hash {
	proof := []tlog.Hash{}
	for _, text := range texts {
		hash, err := tlog.ParseHash(text)
		must(err)
		proof = append(proof, hash)
	}
	return proof
}

func tilesOf(size int64, all hashes) tiles {
	digest := sha256.New()
	paths := []string{}
	for _, tile := range tlog.NewTiles(8, 0, size) {
		// Version 0.7.0 names every width that a partial tile has had on the way.
		if tile.W < 256 && int64(tile.W) != size>>(8*tile.L)-tile.N<<8 {
			continue
		}
		data, err := tlog.ReadTileData(tile, all)
		must(err)
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		paths = append(paths, path)
		fmt.Fprintf(digest, "%s %x\n", path, sha256.Sum256(data))
	}
	return tiles{size, paths, hex.EncodeToString(digest.Sum(nil))}
}

func build() file {
	const largest = 66000
	all := stored(largest)
	root := func(size int64) tlog.Hash {
		hash, err := tlog.TreeHash(size, all)
		must(err)
		return hash
	}
	f := file{
		Source:  "made by test/vectors/note.go with golang.org/x/mod 0.7.0 (sumdb/note, sumdb/tlog), Go 1.19",
		Entries: "the text `entry N` for N from 0, in UTF-8",
		Roots:   map[string]string{},
		Tiles:   tilesOf(largest, all),
	}
	for _, size := range []int64{1, 2, 3, 6, 7, 8, 255, 256, 257, 1000, 65536, largest} {
		f.Roots[fmt.Sprint(size)] = root(size).String()
	}
	for _, pair := range [][2]int64{{0, 1}, {0, 7}, {6, 7}, {3, 8}, {255, 256}, {256, 257}, {700, 1000}, {65535, largest}, {65999, largest}} {
		proof, err := tlog.ProveRecord(pair[1], pair[0], all)
		must(err)
		f.Inclusion = append(f.Inclusion, inclusion{pair[0], pair[1], encoded(proof)})
	}
	for _, pair := range [][2]int64{{1, 8}, {3, 7}, {6, 8}, {7, 7}, {255, 257}, {256, 1000}, {257, 1000}, {65536, largest}, {1000, largest}} {
		proof, err := tlog.ProveTree(pair[1], pair[0], all)
		must(err)
		f.Consistency = append(f.Consistency, consistency{pair[0], pair[1], encoded(proof)})
	}

	own := keyOf("dumps.example/log", 1, 1, 0)
	witness := keyOf("witness.example/w1", 2, 4, 1679315147)
	texts := []string{
		fmt.Sprintf("dumps.example/log\n%d\n%s\n", largest, root(largest)),
		"dumps.example/log\n0\n47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\n",
		"Ognuno sta solo sul cuor della terra\ntrafitto da un raggio di sole:\n\ned è subito sera.\n",
	}
	for _, text := range texts {
		message, err := note.Sign(&note.Note{Text: text}, own, witness)
		must(err)
		f.Notes = append(f.Notes, signed{[]string{own.vkey(), witness.vkey()}, string(message)})
	}
	return f
}

func check(f file) {
	for _, s := range f.Notes {
		verifiers := []note.Verifier{}
		for _, vkey := range s.Keys {
			verifiers = append(verifiers, verifierOf(vkey))
		}
		opened, err := note.Open([]byte(s.Note), note.VerifierList(verifiers...))
		must(err)
		if len(opened.Sigs) != len(s.Keys) {
			log.Fatalf("%d of %d keys signed %q", len(opened.Sigs), len(s.Keys), opened.Text)
		}
	}
	root := func(size int64) tlog.Hash { return decoded([]string{f.Roots[fmt.Sprint(size)]})[0] }
	for _, p := range f.Inclusion {
		must(tlog.CheckRecord(decoded(p.Proof), p.Size, root(p.Size), p.Index, tlog.RecordHash(entry(p.Index))))
	}
	for _, p := range f.Consistency {
		must(tlog.CheckTree(decoded(p.Proof), p.To, root(p.To), p.From, root(p.From)))
	}
	if got := tilesOf(f.Tiles.Size, stored(f.Tiles.Size)); fmt.Sprint(got) != fmt.Sprint(f.Tiles) {
		log.Fatal("the tiles differ")
	}
	fmt.Printf("%d notes, %d roots, %d and %d proofs, %d tiles: all right\n",
		len(f.Notes), len(f.Roots), len(f.Inclusion), len(f.Consistency), len(f.Tiles.Paths))
}

func main() {
	switch {
	case len(os.Args) == 2 && os.Args[1] == "make":
		made, err := json.MarshalIndent(build(), "", "  ")
		must(err)
		fmt.Println(string(made))
	case len(os.Args) == 2 && os.Args[1] == "check":
		var f file
		must(json.NewDecoder(os.Stdin).Decode(&f))
		check(f)
	default:
		log.Fatal("usage: go run note.go make|check")
	}
}
