package ingest

import (
	"regexp"
	"strings"

	"paperwire/internal/paper"
)

// pseudoTitles are headlines that are no article's, whatever stands under them.
var pseudoTitles = map[string]string{
	"导读": "导读", "今日导读": "导读", "本期导读": "导读", "本报导读": "导读", "版面导读": "导读", "要闻导读": "导读", "新闻导读": "导读", "内容导读": "导读",
	"导航": "导读", "今日要目": "导读", "本期要目": "导读", "目录": "导读", "导读栏": "导读", "重点导读": "导读", "精彩导读": "导读",
	"广告": "广告", "公益广告": "公益广告", "分类广告": "广告", "形象广告": "广告", "商业广告": "广告", "图片广告": "广告", "广而告之": "广告", "广告专版": "广告", "分类信息": "广告",
	"中缝": "中缝", "中缝广告": "中缝", "报头": "报头", "报眉": "报头", "报尾": "报头", "刊头": "报头", "版头": "报头", "报花": "报头", "报耳": "报头", "报眼": "报头",
	"责编": "责编", "责任编辑": "责编", "编辑": "责编", "本版编辑": "责编", "本版责编": "责编", "值班编辑": "责编", "本报地址": "报头", "版权信息": "报头", "出版信息": "报头",
}

// noticeTitles are notices that somebody paid for or that the law asks for. They
// count only where no reporter signs.
var noticeTitles = map[string]bool{
	"公告": true, "通告": true, "启事": true, "声明": true, "通知": true, "公示": true, "遗失": true, "挂失": true, "遗失声明": true, "遗失启事": true, "挂失声明": true, "作废声明": true, "声明作废": true,
	"注销公告": true, "减资公告": true, "清算公告": true, "拍卖公告": true, "招标公告": true, "中标公告": true, "更名公告": true, "寻人启事": true, "招聘启事": true, "招领启事": true,
	"认领公告": true, "寻亲公告": true, "债权转让公告": true, "催收公告": true, "送达公告": true, "开庭公告": true, "停电公告": true, "停水公告": true, "停电通知": true, "停水通知": true, "分立公告": true, "合并公告": true, "公告栏": true, "公告声明": true, "声明公告": true, "注销声明": true, "解散公告": true, "迁坟公告": true, "征集公告": true, "律师声明": true,
}

// pseudoPages are pages that hold no articles.
var pseudoPages = map[string]bool{
	"广告": true, "中缝": true, "彩票": true, "信息披露": true, "分类广告": true, "公益广告": true, "公告": true, "公告栏": true, "分类信息": true, "广告专版": true, "专版广告": true,
	"形象广告": true, "整版广告": true, "通版广告": true, "广告信息": true, "公告信息": true, "信息公告": true, "便民信息": true, "分类": true, "声明公告": true, "公告声明": true, "公告广告": true, "中缝广告": true,
}

var (
	staffLine = regexp.MustCompile(`^(?:本版|本期|今日|值班)?(?:责任编辑|责编|编辑|主编|总编|值班编辑|版式|美编|组版|校对|编审)\s*[:：/／\s].{1,40}$`)
	// The kinds of legal notice that never head a news story.
	legalNotice = regexp.MustCompile(`(?:遗失|挂失|作废|注销|减资|清算|拍卖|招标|中标|出让|转让|催收|送达|吸收合并|合并|分立|债权申报|认领|招租|采购|竞价|竞买|变卖|流拍|询价|征集投资人|迁坟|更正|听证|环评|环境影响评价|征地补偿|房屋征收)(?:公告|公示|声明|启事|通告)$`)
	reports     = regexp.MustCompile(`发布|出台|印发|回应|解读|答记者问|揭秘|调查|背后|曝光|提醒|如何|为何|[？?！!]`)
)

// pseudo says why a is no article, in one word, or "". An article about a notice
// is an article: a reporter's byline or a dateline settles it, except under
// headlines that are nobody's.
func pseudo(a paper.Article) string {
	head := fold(a.Headline)
	signed := reported(a)
	if why := pseudoTitles[head]; why != "" {
		return why
	}
	if !signed && !longer(a.Text, 199) && staffLine.MatchString(a.Headline) {
		return "责编"
	}
	if signed {
		return ""
	}
	if noticeTitles[head] {
		if head == "公告" || head == "声明" || head == "启事" {
			return head
		}
		return noticeKind(head)
	}
	if title := strings.TrimRight(a.Headline, " 》”"); legalNotice.MatchString(title) && !reports.MatchString(title) {
		return noticeKind(title)
	}
	if why := pseudoPage(a.Page.Name); why != "" {
		return why
	}
	// 声明作废 closes such a claim, whatever else is in it.
	if !longer(a.Text, 399) && !longer(a.Headline, 12) && strings.Contains(a.Text, "声明作废") {
		return "遗失声明"
	}
	return ""
}

func noticeKind(s string) string {
	for _, kind := range []string{"遗失", "注销", "挂失"} {
		if strings.Contains(s, kind) {
			return map[string]string{"遗失": "遗失声明", "注销": "注销公告", "挂失": "遗失声明"}[kind]
		}
	}
	for _, kind := range []string{"声明", "启事"} {
		if strings.HasSuffix(s, kind) {
			return kind
		}
	}
	return "公告"
}

// pseudoPage needs every part of the page's name to be such: 要闻·公益广告 holds news.
func pseudoPage(name string) string {
	why := ""
	for _, part := range strings.FieldsFunc(name, isPageSep) {
		part = trimSuffixMarks(strings.TrimSuffix(part, "版"))
		if !pseudoPages[part] {
			return ""
		}
		if why == "" {
			why = part
		}
	}
	return why
}

// reported tells a newsroom's text: somebody with a role signs it, or it opens
// with a dateline.
func reported(a paper.Article) bool {
	for _, p := range a.Byline {
		if p.Role == paper.Reporter || p.Role == paper.Correspondent || p.Role == paper.Intern {
			return true
		}
	}
	first, _, _ := strings.Cut(a.Text, "\n")
	return datelineEnd(first) > 0
}
