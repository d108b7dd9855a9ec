package ingest

import (
	"slices"
	"strings"
	"testing"

	"paperwire/internal/paper"
	"paperwire/sources"
)

// What newspapers print, one test for each kind of it. Dates, calendars, links
// and walls are read, and tested, where the pages are: in sources.
func TestNormalisingCases(t *testing.T) {
	long := "<p>" + filler + "</p>"
	other := "<p>图书馆新开了一间阅览室，放学以后孩子们可以在里面看书到晚上八点。</p>"

	t.Run("page labels", func(t *testing.T) {
		for label, want := range map[string]string{
			"第04版:云州/ 北山·南山区": "云州/北山·南山区", "第A01版：头版": "头版", "A01： 头版": "头版", "01版:要闻": "要闻", "第1版　　　　要闻": "要闻", "第1版\u00a0要闻": "要闻",
			"(GA01) 封面": "封面", "第01版：": "", "第06版：财 经": "财经", "第02版：要 闻": "要闻", "0607版：特刊": "特刊", "第一版": "", "下一版": "下一版",
		} {
			a := normalise(printed{Body: long}, sources.Ref{Page: paper.PageRef{Number: "04", Name: label}}, normaliseOptions{Paper: cloudPaper})
			if a.Page.Name != want || a.Page.Number != "04" {
				t.Errorf("%s: page %+v, want %q", label, a.Page, want)
			}
		}
	})
	t.Run("names of several parts", func(t *testing.T) {
		table := sectionsOf(t, []sectionRule{{Slug: "yaowen", Name: "要闻"}})
		for name, want := range map[string]string{
			"北山/南山": "北山/南山", "北山・南山": "北山・南山", "北山｜南山": "北山｜南山", "北山、南山": "北山、南山", "历史性变革⑧": "历史性变革", "历史性变革⑨": "历史性变革", "要闻·公益广告": "要闻",
		} {
			got := table.file(paper.PageRef{Number: "05", Name: name}, nil)
			if len(got) != 1 || got[0].Name != want {
				t.Errorf("%s: filed under %v, want %s", name, got, want)
			}
		}
		a := normalised(long, func(p *printed) { p.Page = paper.PageRef{Number: "05", Name: "云州/ 北山·南山"} })
		if got := placeText(a).PageName; got != "云州/北山·南山" {
			t.Errorf("the gazetteer is shown the page name %q", got)
		}
	})
	t.Run("two picture stories of one headline", func(t *testing.T) {
		story := func(caption string) paper.Article {
			return normalised("", func(p *printed) {
				p.Headline = "图片新闻"
				p.Images = []sources.Image{{URL: "http://img.example/a.jpg", Caption: caption}}
			})
		}
		a, b := story("孩子们在桥上放风筝。（林小河摄）"), story("老人在田里收麦子。（林小河摄）")
		if a.Title() != "图片新闻：孩子们在桥上放风筝" || b.Title() != "图片新闻：老人在田里收麦子" {
			t.Errorf("shown as %q and %q", a.Title(), b.Title())
		}
		if similar(a, b) || fingerprint(a) == fingerprint(b) || a.Pseudo != "" {
			t.Error("taken for one article, or for none")
		}
	})
	t.Run("the same story twice", func(t *testing.T) {
		brief := normalised("<p>本报讯（记者 林小河）市里修好了三座小桥。（详见第三版）</p>")
		full := normalised("<p>本报讯（记者 林小河）" + filler + "</p>" + other)
		if fingerprint(brief) == fingerprint(full) || brief.Text == full.Text {
			t.Error("the brief and the whole story are one article")
		}
	})
	t.Run("what is no article", func(t *testing.T) {
		for _, s := range []struct{ page, headline, why string }{
			{"要闻", "导 读", "导读"},
			{"要闻", "广告", "广告"},
			{"要闻", "公益广告", "公益广告"},
			{"要闻", "责编：林小河", "责编"},
			{"综合", "公告", "公告"},
			{"综合", "遗失声明", "遗失声明"},
			{"综合", "注销公告", "注销公告"},
			{"广告", "新楼开盘", "广告"},
			{"中缝", "新楼开盘", "中缝"},
			{"彩票", "今日开奖", "彩票"},
			{"信息披露", "第三季度报告", "信息披露"},
			{"要闻·公益广告", "小桥通了", ""},
			{"要闻", "公告贴出来以后", ""},
			{"要闻", "更正", ""},
		} {
			a := normalised(long, func(p *printed) { p.Headline, p.Page = s.headline, paper.PageRef{Number: "05", Name: s.page} })
			if a.Pseudo != s.why {
				t.Errorf("%s on %s: %q, want %q", s.headline, s.page, a.Pseudo, s.why)
			}
		}
	})
	t.Run("titles", func(t *testing.T) {
		a := normalised(long, func(p *printed) {
			p.Kicker, p.Headline, p.Subtitle = "学习&nbsp;会议精神 ", "小桥通了<br>两岸热闹了　", "——三村修桥记 "
		})
		if a.Kicker != "学习 会议精神" || a.Headline != "小桥通了 两岸热闹了" || a.Subtitle != "三村修桥记" {
			t.Errorf("%q, %q, %q", a.Kicker, a.Headline, a.Subtitle)
		}
	})
	t.Run("bylines", func(t *testing.T) {
		for body, want := range map[string]string{
			"本报讯（记者 林小河 通讯员 罗大山 李明亮）F": "林小河 reporter, 罗大山 correspondent, 李明亮 correspondent", "本报云州11月5日讯（记者 林小河）F": "林小河 reporter",
			"云州晚报讯 （记者 林小河）F": "林小河 reporter", "据《北山日报》消息（记者林小河）F": "林小河 reporter @北山日报", "（记者林小河 文/摄）F": "林小河 reporter",
			"■ 本报记者 林小河 通讯员 罗大山</p><p>F":                       "林小河 reporter, 罗大山 correspondent",
			"□本报记者林小河 罗大山 李明亮<br>实习生石大海<br>通讯员秦大河 文/摄</p><p>F": "林小河 reporter, 罗大山 reporter, 李明亮 reporter, 石大海 intern, 秦大河 correspondent",
			"□新华社记者 林小河</p><p>F":                               "林小河 reporter @新华社", "本报讯（记者 阿依古丽 买买提·吐尔逊 欧阳小河）F": "阿依古丽 reporter, 买买提·吐尔逊 reporter, 欧阳小河 reporter",
			"F</p><p>F（林小河    罗大山）": "林小河 author, 罗大山 author", "F（林小河摄）": "林小河 photographer", "F</p><p>F 徐帅帅": "徐帅帅 author",
			"F</p><p>《云州食品报》(2024年08月14日02版) (责编：林小河、罗大山)": "林小河 editor, 罗大山 editor",
			"记者从市教育局获悉，F": "", "F他高兴地告诉记者": "", "记者了解到，F": "",
		} {
			a := normalised("<p>" + strings.ReplaceAll(body, "F", filler) + "</p>")
			if got := show(a.Byline, a.Agency); got != want {
				t.Errorf("%s: %q, want %q", body, got, want)
			}
		}
	})
	t.Run("boilerplate", func(t *testing.T) {
		skin := "<p>放大 缩小 默认</p>" + long + other + "<p>移动用户发送YZRB到10658000订阅手机报</p><p>登录云州日报官方微博</p><p>更多内容请扫描二维码</p><p>版权声明：本报所有</p><p>分享到:</p><p>3上一篇  下一篇4</p>"
		if a := normalised(skin); a.Text != normalised(long+other).Text {
			t.Errorf("text\n%s", a.Text)
		}
		inside := long + "<p>他在微博上写道：分享到此为止，未经许可不得转载。</p>" + long + long + long + long + long + long + long + long + long
		if a := normalised(inside); !strings.Contains(a.Text, "分享到此为止") {
			t.Error("words of the article went with the skin's")
		}
	})
	t.Run("subheads and structure", func(t *testing.T) {
		a := normalised("<p>　　" + filler + "</p><p>　　率先垂范，带头上桥</p><p>　　" + filler + "</p><p><img src=/a.jpg></p><p>图为桥上的孩子。（罗大山摄）</p>" + long + "<table><tr><th>村<th>桥<tr><td>北村<td>3</table>")
		want := "<p>" + filler + "</p><h3>率先垂范，带头上桥</h3><p>" + filler + `</p><figure><img src="http://paper.example/a.jpg" alt="图为桥上的孩子。"/><figcaption>图为桥上的孩子。（罗大山 摄）</figcaption></figure><p>` +
			filler + "</p><table><tr><th>村</th><th>桥</th></tr><tr><td>北村</td><td>3</td></tr></table>"
		if a.HTML != want {
			t.Errorf("HTML\n%s\nwant\n%s", a.HTML, want)
		}
		if want := filler + "\n率先垂范，带头上桥\n" + filler + "\n" + filler + "\n村 桥\n北村 3"; a.Text != want {
			t.Errorf("text\n%s\nwant\n%s", a.Text, want)
		}
	})
	t.Run("photographers apart from writers", func(t *testing.T) {
		a := normalised("<p>本报讯（记者 林小河）"+filler+"</p>", func(p *printed) {
			p.Images = []sources.Image{{URL: "http://img.example/a.jpg", Caption: "桥上的孩子。（本报记者 罗大山 摄）"}}
		})
		if got := show(a.Byline, a.Agency); got != "林小河 reporter" || a.Images[0].Credit != "罗大山" || a.Images[0].Caption != "桥上的孩子。" {
			t.Errorf("byline %q, picture %+v", got, a.Images[0])
		}
	})
	t.Run("continued on another page", func(t *testing.T) {
		a := normalised("<p>本报讯（记者 林小河）" + filler + "（下转第三版）</p>")
		b := normalised("<p>（上接第一版）" + filler + "</p>")
		if !strings.HasSuffix(a.Text, "（下转第三版）") || goesOn(a) == nil || comesFrom(b) == nil {
			t.Errorf("the marks that join the pieces are lost:\n%s\n%s", a.Text, b.Text)
		}
		if strings.Contains(b.Summary, "上接") || len(b.Byline) > 0 {
			t.Errorf("summary %q, byline %v", b.Summary, b.Byline)
		}
	})
	t.Run("notices of correction", func(t *testing.T) {
		a := normalised("<p>本报9月4日第二版《小桥通了》一文中，“三座”应为“四座”。特此更正，并致歉意。</p>", func(p *printed) { p.Headline = "更 正" })
		if a.Headline != "更正" || a.Pseudo != "" || !corrects(a, cloudPaper.Name) {
			t.Errorf("%q is marked %q, corrects: %v", a.Headline, a.Pseudo, corrects(a, cloudPaper.Name))
		}
		named := references(a)
		if !slices.ContainsFunc(named, func(r reference) bool { return r.Title == "小桥通了" }) {
			t.Errorf("it names %+v", named)
		}
	})
}
