package place

import (
	"strings"
	"testing"
)

func BenchmarkLoad(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Load(nil); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkDecode is what the first Load of a process adds.
func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	size, _, err := memberHeader(packed)
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		text, err := unpack(packed[:size])
		if err != nil {
			b.Fatal(err)
		}
		t := &table{stops: map[string]string{}, handStops: map[string]string{}, fuse: map[rune]string{}, tail: map[rune]string{}, release: map[rune]string{}, towns: map[string]*members{}}
		t.parse(text)
	}
}

func BenchmarkCity(b *testing.B) {
	b.ReportAllocs()
	g := load(b)
	for b.Loop() {
		if _, err := g.City("410800"); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkFind tags an article of common length: a headline, a lead, 1,500
// characters of body.
func BenchmarkFind(b *testing.B) {
	f, err := load(b).City("410800")
	if err != nil {
		b.Fatal(err)
	}
	paragraph := "合作社今年新添了两台烘干机，收下来的粮食不用再摊在路边晾晒。种粮大户老周算了一笔账，每亩能省下六十元的工钱，" +
		"机器一响，半天就能装车。赵堡镇的干部说，明年还要把灌溉管网铺到地头，让周边三个村的乡亲都用上。"
	text := Text{
		PageName: "第05版:县区新闻",
		Title:    "温县种粮大户用上烘干机",
		Lead:     "本报讯（记者 周可）眼下正是秋收时节，温县赵堡镇的烘干塔日夜不停。",
		Body:     strings.Repeat(paragraph, 16),
		Byline:   "记者 周可",
	}
	b.SetBytes(int64(len(text.PageName) + len(text.Title) + len(text.Lead) + len(text.Body) + len(text.Byline)))
	b.ReportAllocs()
	for b.Loop() {
		f.Find(text)
	}
}

// BenchmarkFindNowhere tags a long text that names no district.
func BenchmarkFindNowhere(b *testing.B) {
	f, err := load(b).City("410800")
	if err != nil {
		b.Fatal(err)
	}
	text := Text{Title: "夜里的灯", Body: strings.Repeat("灯下的人翻开一本旧书，纸页发黄，字迹还清楚。窗外的雨停了，屋檐滴着水，远处有人在唱戏，声音时断时续。", 300)}
	b.SetBytes(int64(len(text.Body)))
	b.ReportAllocs()
	for b.Loop() {
		f.Find(text)
	}
}

func BenchmarkNearest(b *testing.B) {
	g := load(b)
	for b.Loop() {
		g.Nearest("wenxan", 3)
	}
}

// BenchmarkFindLong tags 40 KB of names: the worst that a real paper prints, a
// list of all counties over and over.
func BenchmarkFindLong(b *testing.B) {
	f, err := load(b).City("410800")
	if err != nil {
		b.Fatal(err)
	}
	text := Text{Title: "各县区麦收进度", Body: strings.Repeat("修武县收割过半，博爱县、武陟县、温县连夜抢收，沁阳市柏香镇、孟州市槐树乡开镰，山阳区、中站区、马村区清仓。机器响了一夜，人们站在地头数着车辆。", 200)}
	b.SetBytes(int64(len(text.Body)))
	b.ReportAllocs()
	for b.Loop() {
		f.Find(text)
	}
}
