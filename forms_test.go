package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"paperwire/internal/fetch"
	"paperwire/internal/papertest"
)

// Limits of what it takes to add a paper: lines of configuration, and lines
// below html: or json: where its pages need rules.
const (
	maxLines     = 5
	maxRuleLines = 15
)

// formLines are the lines that add a paper of each form, as an operator writes
// them. Those without rules are what probe proposes.
var formLines = map[papertest.Form]string{
	papertest.FounderClassic: "",
	papertest.FounderNew:     "",
	papertest.PaperIndex:     "",
	papertest.H:              "",
	papertest.S: `
    platform: html
    html:
      pages: '.page-title .title-text a'
      page_url: '/v(\w+)\.shtml$'
      articles: '.page a.selectBox'
      article_url: '/(\d+)\.shtml$'
      onclick: ['location\.href=''([^'']+)''']
`,
	papertest.N: `
    platform: html
    html:
      pages: 'a.banmian'
      page_url: 'page=(\w+)'
      articles: 'map area, #ulTitles a'
      article_url: 'show\.aspx\?id=(\d+)'
      onclick: ['openNews\(''([^'']+)''\)']
      edition: 'page.aspx?date={yyyy}-{mm}-{dd}&page=01'
      date: '#lblDate'
      page_label: '#lblPage'
      headline: '#lblTitle'
      kicker: '#lblYinti'
      subtitle: '#lblFuti'
      byline: '#lblAuthor'
      body: '#lblContent'
`,
	papertest.TRS: `
    platform: html
    html:
      article_url: '/\d{8}_(\d{3}_\d+)\.htm$'
      page_url: '/\d{8}_(\d{3})\.htm$'
      positional: true
      page_numbers: 'banciArray="([\d,]+)"'
      page_link: '../{yyyy}{mm}{dd}_{page}/{yyyy}{mm}{dd}_{page}.htm'
      page_label: '#imageth'
      page_number: '版次：第(\d+)版：版名：(\S+)'
`,
	papertest.JSONAPI: `
    platform: json
    json:
      list: 'api/list.do'
      list_body: 'code={yyyymmdd}'
      headers: ['X-Requested-With: XMLHttpRequest']
      day: data.paperDate
      pages: data.pageList
      page_number: page
      page_name: pageName
      page: 'api/getPage.do?page={page}&code={yyyymmdd}'
      page_body: 'page={page}&code={yyyymmdd}'
      articles: data.articleList
      reversed: true
      id: articleId
      title: title
      link: url
`,
	papertest.DataJS: `
    platform: json
    json:
      list: '{yyyy}/{yyyymmdd}/data.js'
      day: '[0].paperDate'
      pages: '[*]'
      page_number: pageNo
      page_name: pageName
      articles: onePageArticleList
      title: mainTitle
      author: articleAuthor
      link: articleHref
`,
}

// TestFormsByLines: a paper of any form is added by that many lines and read
// whole, today and the day after, with nothing lost. Probe proposes no lines for
// a paper that needs rules, and the right ones for any other (see
// TestProbeProposesWhatWorks).
func TestFormsByLines(t *testing.T) {
	for form, rules := range formLines {
		t.Run(string(form), func(t *testing.T) {
			t.Parallel()
			now := at(16, 6, 0)
			p := papertest.New(papertest.Options{Key: "jzrb", Name: "焦作日报", Form: form, Day: "2026-03-16", Pages: 5, ArticlesPerPage: 4, Seed: 31})
			t.Cleanup(p.Close)
			lines := fmt.Sprintf("  - key: jzrb\n    name: 焦作日报\n    url: %q\n    city: \"410800\"", p.URL())
			config := probeConfig + lines + rules + "\n"
			head, below, ruled := strings.Cut(strings.Trim(lines+rules, "\n"), ":\n      ")
			if n := strings.Count(head, "\n") + 1; n > maxLines && !ruled || n > maxLines+1 {
				t.Errorf("%d lines", n)
			}
			if n := strings.Count(below, "\n") + 1; n > maxRuleLines {
				t.Errorf("%d lines of rules", n)
			}

			out, err := probeSite(t, writeConfig(t, probeConfig+"  - {key: other, name: 其他, url: \"http://127.0.0.1:1/\"}\n"), p.URL())
			_, proposed, ok := strings.Cut(out, "\nsources:\n")
			switch {
			case ruled && (ok || !strings.Contains(out, "none that is known")):
				t.Errorf("proposed without rules\n%s", out)
			case !ruled && (err != nil || strings.TrimSpace(proposed) != strings.TrimSpace(lines)):
				t.Errorf("%v: proposed\n%s\nnot\n%s", err, proposed, lines)
			}

			c, err := loadConfig(overrides{file: writeConfig(t, config)})
			if err != nil {
				t.Fatal(err)
			}
			s, in := inProcess(t, func() time.Time { return now }, fetch.Options{}, c.ingest("http://paperwire.test").Sources...)
			for range 2 {
				if n := len(p.Articles(p.Day())); n != 20 {
					t.Fatalf("%s: %d printed, want 20", p.Day(), n)
				}
				readWhole(t, p, s, in)
				p.NextDay()
				now = now.Add(24 * time.Hour)
			}
		})
	}
}
