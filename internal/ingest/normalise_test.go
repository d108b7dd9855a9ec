package ingest

import (
	"paperwire/internal/paper"
	"paperwire/sources"
)

type printed = sources.Printed

// normalised is the article of a body in the fictional 云州日报.
func normalised(body string, set ...func(*printed)) paper.Article {
	p := printed{URL: "http://paper.example/html/2024-09/05/content_7.htm", Headline: "小桥通了", Body: body}
	for _, f := range set {
		f(&p)
	}
	return normalise(p, sources.Ref{URL: p.URL, Origin: "7", Position: 1}, normaliseOptions{Paper: paper.Paper{Key: "yzrb", Name: "云州日报", Language: "zh-CN"}})
}
