package ingest

import (
	"strings"
	"testing"

	"paperwire/internal/paper"
)

// show writes credits as one line: 张三 reporter, 李四 photographer @新华社.
func show(people []paper.Person, agency string) string {
	var parts []string
	for _, p := range people {
		parts = append(parts, p.Name+" "+string(p.Role))
	}
	s := strings.Join(parts, ", ")
	if agency != "" {
		s = strings.TrimSpace(s + " @" + agency)
	}
	return s
}

const filler = "市里修好了三座小桥，两岸的人来往方便多了，集市也热闹起来。"

func TestBylineForms(t *testing.T) {
	tests := []struct {
		name, body, want, text string // text: what stays, with F for the filler; empty: not looked at
	}{
		{"dateline", "<p>本报讯（记者 林小河 通讯员 罗大山 白玉）F</p>", "林小河 reporter, 罗大山 correspondent, 白玉 correspondent", "本报讯（记者 林小河 通讯员 罗大山 白玉）F"},
		{"dateline with place and day", "<p>本报云州11月5日讯（记者 林小河）F</p>", "林小河 reporter", "本报云州11月5日讯（记者 林小河）F"},
		{"own name, space before", "<p>云州晚报讯 （记者 林小河） F</p>", "林小河 reporter", ""},
		{"cited paper", "<p>据《北山日报》消息（记者林小河）F</p>", "林小河 reporter @北山日报", ""},
		{"cited paper, no names", "<p>据《北山日报》报道 F</p>", "@北山日报", ""},
		{"wire", "<p>新华社北京9月5日电（记者 林小河、罗大山）F</p>", "林小河 reporter, 罗大山 reporter @新华社", ""},
		{"cited wire", "<p>据新华社北京11月5日电　F</p>", "@新华社", ""},
		{"wire without day", "<p>据新华社电 F</p>", "@新华社", ""},
		{"other house by wire", "<p>人民日报北京9月5日电（记者林小河）F</p>", "林小河 reporter @人民日报", ""},
		{"china news", "<p>中新网北京9月5日电（记者 林小河）F</p>", "林小河 reporter @中新网", ""},
		{"parenthesis alone", "<p>（记者 林小河）F</p>", "林小河 reporter", ""},
		{"text and picture", "<p>（记者林小河 文/摄）F</p>", "林小河 reporter", ""},
		{"dateline without parenthesis", "<p>本报讯 记者 林小河 通讯员 罗大山 连日来，F</p>", "林小河 reporter, 罗大山 correspondent", ""},
		{"dateline without parenthesis, one name", "<p>本报讯 记者林小河 昨日，F</p>", "林小河 reporter", ""},
		{"two-character name spaced", "<p>本报讯（记者 王 伟）F</p>", "王伟 reporter", ""},
		{"two spaced names", "<p>本报讯（记者 王 伟 李 明）F</p>", "王伟 reporter, 李明 reporter", ""},
		{"spaced name before another role", "<p>本报讯（记者 王 伟 通讯员 李明亮）F</p>", "王伟 reporter, 李明亮 correspondent", ""},
		{"wide space in a name", "<p>本报讯（记者 王　伟　通讯员 李　明）F</p>", "王伟 reporter, 李明 correspondent", ""},
		{"roles without spaces", "<p>本报讯（记者林小河通讯员罗大山）F</p>", "林小河 reporter, 罗大山 correspondent", ""},
		{"intern reporter", "<p>本报讯（见习记者 林小河 实习生 罗大山）F</p>", "林小河 intern, 罗大山 intern", ""},
		{"all-media reporter", "<p>本报讯（全媒体记者 林小河）F</p>", "林小河 reporter", ""},
		{"chief reporter", "<p>本报讯（本报全媒体首席记者 林小河 摄影记者 罗大山）F</p>", "林小河 reporter, 罗大山 photographer", ""},
		{"paper's reporter", "<p>本报讯（云州日报全媒体记者 林小河）F</p>", "林小河 reporter", ""},
		{"another paper's reporter", "<p>本报讯（北山日报全媒体记者 林小河）F</p>", "林小河 reporter @北山日报", ""},
		{"special correspondent", "<p>本报讯（特约记者 林小河 特约通讯员 罗大山）F</p>", "林小河 reporter, 罗大山 correspondent", ""},
		{"office before the name", "<p>本报讯（通讯员 市教育局 罗大山）F</p>", "罗大山 correspondent", ""},
		{"colon after the role", "<p>本报讯（记者：林小河 通讯员：罗大山）F</p>", "林小河 reporter, 罗大山 correspondent", ""},
		{"four-character name", "<p>本报讯（记者 阿依古丽）F</p>", "阿依古丽 reporter", ""},
		{"compound surname", "<p>本报讯（记者 欧阳小河 司马山）F</p>", "欧阳小河 reporter, 司马山 reporter", ""},
		{"dotted name", "<p>本报讯（记者 买买提·吐尔逊 通讯员 热孜万古丽·艾力）F</p>", "买买提·吐尔逊 reporter, 热孜万古丽·艾力 correspondent", ""},
		{"name without a Han surname", "<p>本报讯（记者 卓玛 央金）F</p>", "卓玛 reporter, 央金 reporter", ""},
		{"half-width parentheses", "<p>本报讯(记者 林小河)F</p>", "林小河 reporter", ""},
		{"enumeration comma", "<p>本报讯（记者林小河、罗大山，通讯员白玉）F</p>", "林小河 reporter, 罗大山 reporter, 白玉 correspondent", ""},

		{"pictures given, in the dateline", "<p>本报讯（记者林小河 图片由受访者提供）F</p>", "林小河 reporter", "本报讯（记者林小河 图片由受访者提供）F"},
		{"pictures given, long list", "<p>本报讯（全媒体记者 林小河 罗大山 通讯员 诸葛孔明 李 明 图片由受访者提供）F</p>", "林小河 reporter, 罗大山 reporter, 诸葛孔明 correspondent, 李明 correspondent", ""},
		{"pictures given, before the names", "<p>本报讯（图片由市档案馆提供 记者 林小河）F</p>", "林小河 reporter", ""},
		{"pictures given, no space", "<p>本报讯（记者林小河图片由受访者提供）F</p>", "林小河 reporter", ""},
		{"pictures after another house", "<p>本报讯（记者 林小河 图据云州发布）F</p>", "林小河 reporter", ""},
		{"source of the pictures", "<p>本报讯（记者 林小河，图片来源：北山日报）F</p>", "林小河 reporter", ""},
		{"given by who was asked", "<p>本报讯（记者 林小河 受访者供图）F</p>", "林小河 reporter", ""},
		{"given by an office", "<p>本报讯（记者 林小河 市文旅局 供图）F</p>", "林小河 reporter", ""},
		{"picture, slash, who was asked", "<p>文/林小河 图/受访者提供</p><p>F</p>", "林小河 author", "F"},
		{"file pictures", "<p>本报讯（记者 林小河 资料图片）F</p>", "林小河 reporter", ""},
		{"digest", "<p>本报讯（记者 林小河 综合）F</p>", "林小河 reporter", ""},
		{"something else behind a dateline", "<p>本报讯（记者 林小河 第一时间走访）F</p>", "林小河 reporter", ""},
		{"given, paragraph of its own", "<p>本报记者 林小河 图片由受访者提供</p><p>F</p>", "林小河 reporter", "F"},
		{"given, at the end", "<p>F</p><p>F（林小河 图片由市档案馆提供）</p>", "林小河 author", "F\nF"},
		{"photographer who gives", "<p>本报记者 林小河 通讯员 罗大山 供图</p><p>F</p>", "林小河 reporter, 罗大山 photographer", "F"},
		{"agency of its own, by wire", "<p>云山社北京9月5日电（记者 林小河）F</p>", "林小河 reporter @云山社", ""},
		{"bureau of an agency", "<p>□云山社北京分社记者 林小河</p><p>F</p>", "林小河 reporter @云山社", "F"},
		{"agency's reporter behind the name", "<p>□林小河（云山社记者）</p><p>F</p>", "林小河 reporter @云山社", "F"},
		{"agency's column", "<p>新华社“云上视点”记者 林小河</p><p>F</p>", "林小河 reporter @新华社", "F"},
		{"role and full stop", "<p>本报记者 林小河。</p><p>F</p>", "林小河 reporter", "F"},
		{"paragraph with square", "<p>■ 本报记者 林小河 通讯员 罗大山</p><p>F</p>", "林小河 reporter, 罗大山 correspondent", "F"},
		{"paragraph on three lines", "<p>□本报记者林小河 罗大山 白玉<br>实习生石榴红<br>通讯员秦岭 文/摄</p><p>F</p>", "林小河 reporter, 罗大山 reporter, 白玉 reporter, 石榴红 intern, 秦岭 correspondent", "F"},
		{"paragraph, wire reporter", "<p>□新华社记者 林小河 罗大山</p><p>F</p>", "林小河 reporter, 罗大山 reporter @新华社", "F"},
		{"paragraph, an agency of its own", "<p>□云山社记者 林小河</p><p>F</p>", "林小河 reporter @云山社", "F"},
		{"several writers, one photographer", "<p>■ 本报首席记者 林小河 本报记者 罗大山 通讯员 白玉/文 石榴红/图</p><p>F</p>", "林小河 reporter, 罗大山 reporter, 白玉 correspondent, 石榴红 photographer", "F"},
		{"roles and actions without spaces", "<p>全媒体记者林小河 通讯员罗大山文/图</p><p>F</p>", "林小河 reporter, 罗大山 correspondent", "F"},
		{"own media centre", "<p>本报融媒体中心记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"resident reporter", "<p>本报驻京记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"reporter of a station", "<p>本报北山站记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"commentator with a name", "<p>本报特约评论员 林小河</p><p>F</p>", "林小河 author", "F"},
		{"compound surname apart", "<p>本报记者 欧阳 小河</p><p>F</p>", "欧阳小河 reporter", "F"},
		{"told by, written by", "<p>◆林小河 口述 罗大山 整理</p><p>F</p>", "林小河 author, 罗大山 author", "F"},
		{"wrote and took the pictures", "<p>撰文/摄影 林小河</p><p>F</p>", "林小河 author", "F"},
		{"three readings", "<p>F</p><p>一审：林小河 二审：罗大山 三审：白玉</p>", "", "F"},
		{"dateline in brackets", "<p>【本报讯】（记者 林小河）F</p>", "林小河 reporter", ""},
		{"reporter in brackets", "<p>【记者 林小河】F</p>", "林小河 reporter", ""},
		{"place for a dateline", "<p>北山讯（记者 林小河）F</p>", "林小河 reporter", ""},
		{"reports, with a colon", "<p>本报北京9月5日电 记者林小河报道：F</p>", "林小河 reporter", ""},
		{"broadcaster", "<p>央视网消息：F</p>", "@央视网", ""},
		{"paragraph without bullet", "<p>本报记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"bullet and bare names", "<p>○林小河 罗大山</p><p>F</p>", "林小河 author, 罗大山 author", "F"},
		{"bare name under the title", "<p>林小河</p><p>F</p>", "林小河 author", "F"},
		{"author label", "<p>作者：林小河</p><p>F</p>", "林小河 author", "F"},
		{"text by, picture by", "<p>文/林小河 图/罗大山</p><p>F</p>", "林小河 author, 罗大山 photographer", "F"},
		{"names before text and picture", "<p>林小河/文 罗大山/摄</p><p>F</p>", "林小河 author, 罗大山 photographer", "F"},
		{"commentator", "<p>□ 本报评论员</p><p>F</p>", "本报评论员 author", "F"},
		{"byline lines before the text", "<p>■ 本报记者 林小河<br>F</p>", "林小河 reporter", "F"},
		{"reports", "<p>本报记者 林小河 报道</p><p>F</p>", "林小河 reporter", "F"},
		{"reporter and photographer", "<p>本报记者 林小河 文 罗大山 摄</p><p>F</p>", "林小河 reporter, 罗大山 photographer", "F"},
		{"lozenge and bracket", "<p>【本报记者 林小河】</p><p>F</p>", "林小河 reporter", "F"},
		{"two paragraphs", "<p>□ 本报记者 林小河</p><p>通讯员 罗大山</p><p>F</p>", "林小河 reporter, 罗大山 correspondent", "F"},
		{"bullet byline on the line of the text", "<p>□新华社记者 林小河 10月10日，F</p>", "林小河 reporter @新华社", "10月10日，F"},
		{"name with an office", "<p>□林小河（云州医院）</p><p>F</p>", "林小河 author", "□林小河（云州医院）\nF"},
		{"a month for a name", "<p>本报讯（记者何月 通讯员 罗大山）F</p>", "何月 reporter, 罗大山 correspondent", ""},
		{"span in the byline", "<P>　　<SPAN class=FloatTitle>□本报记者林小河&nbsp;文/摄</SPAN><BR>　　F</P>", "林小河 reporter", "F"},
		{"where it was written", "<p>本报记者 林小河 北京报道</p><p>F</p>", "林小河 reporter", "F"},
		{"picture by a correspondent", "<p>文/本报记者 林小河 图/通讯员 罗大山 石榴红</p><p>F</p>", "林小河 reporter, 罗大山 photographer, 石榴红 photographer", "F"},
		{"text by one, picture by another", "<p>本报记者 林小河 文 通讯员 罗大山 摄</p><p>F</p>", "林小河 reporter, 罗大山 photographer", "F"},
		{"text and picture by one", "<p>F（图文/林小河）</p>", "林小河 author", "F"},
		{"text and picture, colon", "<p>F（图/文：林小河）</p>", "林小河 author", "F"},
		{"square brackets", "<p>F</p><p>[责任编辑:林小河]</p>", "林小河 editor", "F"},
		{"source line", "<p>来源：《北山日报》</p><p>F</p>", "@北山日报", "F"},
		{"source after the text", "<p>F 据《北山日报》</p>", "@北山日报", "F"},
		{"own source", "<p>F（来源：云州日报）</p>", "", "F"},
		{"extracted", "<p>F（摘自《北山文摘》）</p>", "@北山文摘", "F"},
		{"name that is a word", "<p>本报讯（记者 高山 夏天）F</p>", "高山 reporter, 夏天 reporter", ""},
		{"same person twice", "<p>■ 本报记者 林小河</p><p>F（林小河 文/图）</p>", "林小河 reporter", "F"},
		{"writer who photographs", "<p>本报讯（记者 林小河）F（林小河 摄）</p>", "林小河 reporter", ""},

		{"trailing parenthesis", "<p>F</p><p>F（林小河    罗大山）</p>", "林小河 author, 罗大山 author", "F\nF"},
		{"trailing one name", "<p>F</p><p>F（林小河）</p>", "林小河 author", "F\nF"},
		{"trailing with roles", "<p>F</p><p>F（记者 林小河 通讯员 罗大山）</p>", "林小河 reporter, 罗大山 correspondent", "F\nF"},
		{"photo credit", "<p>F（林小河摄）</p>", "林小河 photographer", "F"},
		{"photo credit with space", "<p>F（林小河 摄）</p>", "林小河 photographer", "F"},
		{"photo credit of a reporter", "<p>F本报记者 林小河 摄</p>", "林小河 photographer", "F"},
		{"photo report", "<p>F（本报记者 林小河 摄影报道）</p>", "林小河 reporter", "F"},
		{"bare name after a space", "<p>F</p><p>F 林小河</p>", "林小河 author", "F\nF"},
		{"bare names after a space", "<p>F</p><p>F 林小河 罗大山</p>", "林小河 author, 罗大山 author", "F\nF"},
		{"double character name", "<p>F</p><p>F 徐帅帅</p>", "徐帅帅 author", "F\nF"},
		{"trailing paragraph", "<p>F</p><p>（林小河）</p>", "林小河 author", "F"},
		{"trailing source", "<p>F</p><p>F（据《北山日报》）</p>", "@北山日报", "F\nF"},
		{"trailing wire", "<p>F</p><p>F（据新华社电）</p>", "@新华社", "F\nF"},
		{"trailing wire dateline", "<p>F</p><p>F（新华社北京9月5日电）</p>", "@新华社", "F\nF"},
		{"footer editors", "<p>F</p><p>《云州食品报》(2024年08月14日02版)</p><p>(责编：林小河、罗大山)</p>", "林小河 editor, 罗大山 editor", "F"},
		{"footer on one line", "<p>F</p><p>《云州食品报》(2024年08月14日02版) (责编：林小河)</p>", "林小河 editor", "F"},
		{"editors' line without proof readers", "<p>F</p><p>责编：林小河 校对：罗大山</p>", "林小河 editor", "F"},

		{"resident reporter in the dateline", "<p>本报讯（驻北山记者 林小河）F</p>", "林小河 reporter", ""},
		{"media reporter, chief", "<p>□ 融媒体首席记者 林小河 融媒体见习记者 罗大山</p><p>F</p>", "林小河 reporter, 罗大山 intern", "F"},
		{"all-media reporter, special correspondent", "<p>本报全媒体记者 林小河 特约通讯员 罗大山</p><p>F</p>", "林小河 reporter, 罗大山 correspondent", "F"},
		{"paper's own centre", "<p>云州日报融媒体记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"county's media centre", "<p>本报讯（北山县融媒体中心 林小河 罗大山）F</p>", "林小河 author, 罗大山 author @北山县融媒体中心", ""},
		{"four-character name with a dot", "<p>□本报记者 阿依古丽·买买提</p><p>F</p>", "阿依古丽·买买提 reporter", "F"},
		{"dot of another kind", "<p>本报讯（记者 阿依古丽•买买提 通讯员 林小河）F</p>", "阿依古丽•买买提 reporter, 林小河 correspondent", ""},
		{"Mongolian names", "<p>本报讯（记者 乌日娜 通讯员 巴特尔）F</p>", "乌日娜 reporter, 巴特尔 correspondent", ""},
		{"Tibetan names", "<p>本报讯（记者 扎西顿珠 次仁央宗）F</p>", "扎西顿珠 reporter, 次仁央宗 reporter", ""},
		{"compound surnames together", "<p>■本报记者 欧阳明 上官小河 诸葛大山</p><p>F</p>", "欧阳明 reporter, 上官小河 reporter, 诸葛大山 reporter", "F"},
		{"compound surname without spaces", "<p>本报讯（记者欧阳小河通讯员司马大山）F</p>", "欧阳小河 reporter, 司马大山 correspondent", ""},
		{"rare character", "<p>本报讯（记者 李㳇 王䶮 陈𠮷）F</p>", "李㳇 reporter, 王䶮 reporter, 陈𠮷 reporter", ""},
		{"picture and text", "<p>图/文 本报记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"text and picture, before", "<p>文/图 林小河</p><p>F</p>", "林小河 author", "F"},
		{"text and picture, together", "<p>图文：林小河</p><p>F</p>", "林小河 author", "F"},
		{"photo report, before", "<p>摄影报道：本报记者 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"photo report, after", "<p>本报记者 林小河 罗大山 摄影报道</p><p>F</p>", "林小河 reporter, 罗大山 reporter", "F"},
		{"photographer after a bar", "<p>本报记者 林小河 文 | 罗大山 图</p><p>F</p>", "林小河 reporter, 罗大山 photographer", "F"},
		{"supplied by", "<p>F</p><p>（林小河 供稿）</p>", "林小河 author", "F"},
		{"supplied by, at the end", "<p>F</p><p>F（罗大山 供稿）</p>", "罗大山 author", "F\nF"},
		{"arranged by", "<p>F</p><p>F（本报记者 林小河 整理）</p>", "林小河 reporter", "F\nF"},
		{"translated by", "<p>F</p><p>（林小河 编译）</p>", "林小河 author", "F"},
		{"reported together", "<p>本报记者 林小河 罗大山 联合报道</p><p>F</p>", "林小河 reporter, 罗大山 reporter", "F"},
		{"editor, proof reader, reader", "<p>F</p><p>责编：林小河　校对：罗大山　审核：白玉</p>", "林小河 editor", "F"},
		{"editor and readers on lines", "<p>F</p><p>责任编辑：林小河<br>美术编辑：罗大山<br>校对：白玉</p>", "林小河 editor", "F"},
		{"editor in a bracket", "<p>F</p><p>【责任编辑：林小河】</p>", "林小河 editor", "F"},
		{"editors' bar", "<p>F</p><p>责编/林小河 版式/罗大山 校对/白玉</p>", "林小河 editor", "F"},
		{"page editor", "<p>F</p><p>本版编辑 林小河</p>", "林小河 editor", "F"},
		{"planned by", "<p>策划：罗大山</p><p>执笔：林小河</p><p>F</p>", "林小河 author", "F"},
		{"wrote, photographed, on two lines", "<p>文/本报记者 林小河<br>图/本报记者 罗大山</p><p>F</p>", "林小河 reporter, 罗大山 photographer", "F"},
		{"correspondents with offices on lines", "<p>□ 本报记者 林小河<br>通讯员 罗大山 白玉</p><p>F</p>", "林小河 reporter, 罗大山 correspondent, 白玉 correspondent", "F"},
		{"three paragraphs", "<p>本报记者 林小河</p><p>实习生 石榴红</p><p>通讯员 秦岭</p><p>F</p>", "林小河 reporter, 石榴红 intern, 秦岭 correspondent", "F"},
		{"reporter, wide spaces", "<p>　　本报记者　林小河　罗大山</p><p>F</p>", "林小河 reporter, 罗大山 reporter", "F"},
		{"several with commas", "<p>本报讯（记者 林小河，罗大山；通讯员 白玉）F</p>", "林小河 reporter, 罗大山 reporter, 白玉 correspondent", ""},
		{"dateline with a year", "<p>本报云州2024年11月5日讯（记者 林小河）F</p>", "林小河 reporter", ""},
		{"dateline by wire from home", "<p>本报北京11月5日电（记者 林小河）F</p>", "林小河 reporter", ""},
		{"dateline, special", "<p>本报云州11月5日专电（记者 林小河）F</p>", "林小河 reporter", ""},
		{"own paper by name, day", "<p>云州日报11月5日讯（记者 林小河）F</p>", "林小河 reporter", ""},
		{"cited paper with a client", "<p>据《北山日报》客户端消息（记者 林小河）F</p>", "林小河 reporter @北山日报", ""},
		{"wire, one reporter, colon", "<p>新华社北京9月5日电 （记者林小河）：F</p>", "林小河 reporter @新华社", ""},
		{"wire, special report", "<p>新华社记者</p><p>F</p>", "@新华社", "F"},
		{"people's paper", "<p>人民日报记者 林小河</p><p>F</p>", "林小河 reporter @人民日报", "F"},
		{"wire at the end of a paragraph of its own", "<p>F</p><p>（新华社北京9月5日电）</p>", "@新华社", "F"},
		{"source, colon", "<p>F</p><p>（来源：北山日报）</p>", "@北山日报", "F"},
		{"source, reprinted", "<p>F</p><p>（原载《北山日报》）</p>", "@北山日报", "F"},
		{"source with day", "<p>F（据新华社9月5日电）</p>", "@新华社", "F"},
		{"picture by, after a semicolon", "<p>F（文：林小河；图：罗大山）</p>", "林小河 author, 罗大山 photographer", "F"},
		{"drawn by", "<p>F</p><p>（林小河 绘）</p>", "林小河 photographer", "F"},
		{"cartoon", "<p>F</p><p>漫画/林小河</p>", "林小河 photographer", "F"},
		{"author in brackets", "<p>【作者：林小河】</p><p>F</p>", "林小河 author", "F"},
		{"with another house's reporter", "<p>本报讯（本报记者 林小河 市融媒体中心记者 罗大山）F</p>", "林小河 reporter, 罗大山 reporter", ""},
		{"wire story with a title", "<p>新华社云州9月5日电 题：小桥通了</p><p>新华社记者林小河、罗大山</p><p>F</p>", "林小河 reporter, 罗大山 reporter @新华社", "新华社云州9月5日电 题：小桥通了\nF"},
		{"wire in a parenthesis, first", "<p>（新华社云州9月5日电）F</p>", "@新华社", "（新华社云州9月5日电）F"},
		{"took part, at the end", "<p>新华社云州9月5日电（记者林小河）F（参与采写：李明亮）</p>", "林小河 reporter, 李明亮 author @新华社", ""},
		{"took part, own paragraph", "<p>F</p><p>本报记者林小河、罗大山参与采写</p>", "林小河 reporter, 罗大山 reporter", "F"},
		{"origin of the text", "<p>F（文稿来源：北山县委宣传部）</p>", "@北山县委宣传部", "F"},
		{"author and origin", "<p>F</p><p>（作者：林小河；来源：北山日报）</p>", "林小河 author @北山日报", "F"},
		{"footer of an account", "<p>F</p><p>来源 | 北山日报</p><p>编辑 | 林小河</p><p>校对 | 罗大山</p><p>审核 | 李明亮</p>", "林小河 editor @北山日报", "F"},
		{"board member on duty", "<p>F</p><p>值班编委：林小河 责编：罗大山 美编：李明亮</p>", "罗大山 editor", "F"},
		{"told by, with a label", "<p>讲述人：林小河</p><p>采写：罗大山</p><p>F</p>", "林小河 author, 罗大山 author", "F"},
		{"student reporter", "<p>小记者 林小河 指导老师 罗大山</p><p>F</p>", "林小河 reporter", "F"},
		{"entity in a name", "<p>本报讯（记者 林&#32;河）F</p>", "林河 reporter", ""},
		{"entity for a space", "<p>本报讯（记者&#32;林小河&emsp;罗大山）F</p>", "林小河 reporter, 罗大山 reporter", ""},
		{"bold byline", "<p><b>■ 本报记者</b> <b>林小河</b></p><p>F</p>", "林小河 reporter", "F"},
		{"subhead byline", "<h3>本报记者 林小河</h3><p>F</p>", "林小河 reporter", "F"},
		{"bare name in wide parentheses at the end, full stop", "<p>F</p><p>F（林小河）。</p>", "林小河 author", "F\nF"},
		{"four names at the end", "<p>F</p><p>F（林小河 罗大山 李明亮 秦大河）</p>", "林小河 author, 罗大山 author, 李明亮 author, 秦大河 author", "F\nF"},
		{"own station", "<p>本报北山记者站 林小河</p><p>F</p>", "林小河 reporter", "F"},
		{"vice editor's column", "<p>本报首席评论员 林小河</p><p>F</p>", "林小河 author", "F"},
		{"reporter reports from", "<p>本报记者 林小河 罗大山 发自北山</p><p>F</p>", "林小河 reporter, 罗大山 reporter", "F"},
	}
	if len(tests) < 60 {
		t.Errorf("only %d forms", len(tests))
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a := normalised(strings.ReplaceAll(tt.body, "F", filler))
			if got := show(a.Byline, a.Agency); got != tt.want {
				t.Errorf("byline %q, want %q", got, tt.want)
			}
			if want := strings.ReplaceAll(tt.text, "F", filler); tt.text != "" && a.Text != want {
				t.Errorf("text\n%s\nwant\n%s", a.Text, want)
			}
		})
	}
}

// What looks like a byline and is none stays where it is.
func TestNoByline(t *testing.T) {
	for _, body := range []string{
		"记者从市教育局获悉，F",
		"记者了解到，F",
		"F他高兴地告诉记者",
		"F他高兴地告诉记者。",
		"记者昨日在现场看到，F",
		"据记者了解，F",
		"本报记者昨日获悉，F",
		"日前，记者走进云州市档案馆。F",
		"F（下转第三版）",
		"（上接第一版）F",
		"F（未完待续）",
		"F（完整名单见第四版）",
		"F（焦作）",
		"F（云州市）",
		"F 谢谢",
		"F 高质量发展",
		"F（作者系云州大学教授）",
		"F（有删节）",
		"F 时间：9月5日",
		"（一）F",
		"F（图片由市档案馆提供）",
		"F（二〇二四年九月）",
		"金秋</p><p>F",
		"温县</p><p>F",
		"春天</p><p>F",
		"问：记者怎么看？</p><p>F",
		"F</p><p>云州市人民政府</p><p>2024年9月5日",
		"F</p><p>扫码看更多内容",
		"记者：您怎么看？</p><p>林小河：F",
		"F“你们记者真辛苦。”老人说",
		"通讯员队伍建设是大事。F",
		"编辑部的故事讲完了。F",
		"F他说：“我叫王伟”",
		"F联系人：王女士",
		"图片新闻</p><p>F",
		"文字整理</p><p>F",
		"摄影大赛</p><p>F",
		"记者调查</p><p>F",
		"记者手记</p><p>F",
		"编辑手记</p><p>F",
		"编者按</p><p>F",
		"作者简介</p><p>F",
		"通讯员培训班</p><p>F",
		"本报综合报道</p><p>F",
		"■ 延伸阅读</p><p>F",
		"F（作者单位：云州党校）",
		"作者单位：党校</p><p>F",
		"F（林小河，女，五十岁，云州人）",
		"F（下转02版）",
		"F（见图）",
		"F（王女士为化名）",
		"F（王伟系化名）",
		"F——林小河",
		"F（高清大图见二维码）",
		"● 相关链接</p><p>F",
		"段一。</p><p>F",
		"方远。</p><p>F",
		"□高山。</p><p>F",
		"F</p><p>林小河。",
		"林小河：</p><p>F",
		"本报讯（记者从市教育局获悉）F",
		"▲ 高质量发展</p><p>F",
		"F</p><p>报道热线</p><p>F",
		"记者王伟走进村里，F",
		"记者林小河和罗大山一起来到桥边，F",
		"通讯员们都来了。F",
		"F（记者在现场看到的情况见第三版）",
		"F（林小河为化名）",
		"F（此处有掌声）",
		"F（单位：万元）",
		"F（含税）",
		"F（左一）",
		"F（左一为林小河）",
		"F（林小河是云州人）",
		"F（电话：12345）",
		"F（9月5日）",
		"编辑：您好！F",
		"读者来信</p><p>F",
		"文字之美</p><p>F",
		"图书推荐</p><p>F",
		"F</p><p>金山</p><p>F",
		"F</p><p>记者的话</p><p>F",
		"摄影师手记</p><p>F",
		"据了解，F",
		"据悉，F",
		"来源于生活的桥，F",
		"F王伟说：“好。”李明笑了",
		"新华社会风貌调查显示，F",
		"F高校长 谢老师",
	} {
		body = "<p>" + strings.ReplaceAll(body, "F", filler) + "</p>"
		a := normalised(body)
		if len(a.Byline) > 0 || a.Agency != "" {
			t.Errorf("%s: byline %q, want none", body, show(a.Byline, a.Agency))
		}
		flat := strings.NewReplacer("<p>", "", "</p>", "\n").Replace(body)
		if want := strings.TrimSpace(flat); a.Text != want {
			t.Errorf("text\n%s\nwant\n%s", a.Text, want)
		}
	}
}

func TestAuthorField(t *testing.T) {
	for _, tt := range []struct{ field, body, want string }{
		{"林小河", "", "林小河 author"},
		{"林小河", "本报讯（记者 林小河）", "林小河 reporter"},
		{"记者 林小河 通讯员 罗大山", "", "林小河 reporter, 罗大山 correspondent"},
		{"本报记者 林小河", "本报讯（记者 林小河）", "林小河 reporter"},
		{"林小河;罗大山", "", "林小河 author, 罗大山 author"},
		{"林小河，罗大山", "本报讯（记者 罗大山）", "罗大山 reporter, 林小河 author"},
		{"文/林小河", "", "林小河 author"},
		{"□林小河", "", "林小河 author"},
		{"卓玛", "", "卓玛 author"},
		{"阿依古丽", "", "阿依古丽 author"},
		{"新华社", "", "@新华社"},
		{"云州日报", "", ""},
		{"admin", "", ""},
		{"本报讯", "", ""},
		{"Jane Doe", "", "Jane Doe author"},
		{"Jane Doe, John Roe", "", "Jane Doe author, John Roe author"},
		{"jane@example.com (Jane Doe)", "", "Jane Doe author"},
		{"jane@example.com", "", ""},
		{"<b>林小河</b>&nbsp;", "", "林小河 author"},
		{"作者：林小河", "", "林小河 author"},
		{"王　伟", "", "王伟 author"},
		{"责编 林小河", "", "林小河 editor"},
	} {
		a := normalised("<p>"+tt.body+filler+"</p>", func(p *printed) { p.Author = tt.field })
		if got := show(a.Byline, a.Agency); got != tt.want {
			t.Errorf("field %q, body %q: %q, want %q", tt.field, tt.body, got, tt.want)
		}
	}
}

func TestSplitCredit(t *testing.T) {
	for _, tt := range []struct{ in, caption, credit string }{
		{"孩子们在桥上放风筝。（林小河摄）", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝。（林小河 摄）", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝。 林小河 摄", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝。本报记者 林小河 摄", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝 本报记者 林小河 罗大山 摄", "孩子们在桥上放风筝", "林小河、罗大山"},
		{"孩子们在桥上放风筝。（本报记者林小河/摄）", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝。摄影：林小河", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝。图/林小河", "孩子们在桥上放风筝。", "林小河"},
		{"孩子们在桥上放风筝。（云州市文旅局供图）", "孩子们在桥上放风筝。", "云州市文旅局"},
		{"孩子们在桥上放风筝。新华社记者 林小河 摄", "孩子们在桥上放风筝。", "新华社 林小河"},
		{"孩子们在桥上放风筝。新华社发（林小河摄）", "孩子们在桥上放风筝。", "新华社 林小河"},
		{"孩子们在桥上放风筝。（新华社发）", "孩子们在桥上放风筝。", "新华社"},
		{"孩子们在桥上放风筝。（资料图片）", "孩子们在桥上放风筝。（资料图片）", ""},
		{"摄影师在桥上拍摄风筝。", "摄影师在桥上拍摄风筝。", ""},
		{"桥上的风筝正在被航拍", "桥上的风筝正在被航拍", ""},
		{"林小河 摄", "", "林小河"},
		{"孩子们在桥上放风筝。新华社记者林小河摄影报道", "孩子们在桥上放风筝。", "新华社 林小河"},
		{"孩子们在桥上放风筝。（无人机照片）新华社记者 林小河 摄", "孩子们在桥上放风筝。（无人机照片）", "新华社 林小河"},
		{"孩子们在桥上放风筝。（图片由市档案馆提供）", "孩子们在桥上放风筝。", "市档案馆"},
		{"孩子们在桥上放风筝。（图/新华社）", "孩子们在桥上放风筝。", "新华社"},
		{"孩子们在桥上放风筝（央视新闻截图）", "孩子们在桥上放风筝", "央视新闻"},
		{"孩子们在桥上放风筝 本报记者林小河/图", "孩子们在桥上放风筝", "林小河"},
		{"桥的效果图（效果图）", "桥的效果图（效果图）", ""},
		{"", "", ""},
	} {
		caption, credit := splitCredit(tt.in)
		if caption != tt.caption || credit != tt.credit {
			t.Errorf("%s: %q by %q, want %q by %q", tt.in, caption, credit, tt.caption, tt.credit)
		}
	}
}

func TestWithCredit(t *testing.T) {
	for _, tt := range []struct{ caption, credit, want string }{
		{"桥上。", "林小河", "桥上。（林小河 摄）"},
		{"桥上。", "林小河、罗大山", "桥上。（林小河、罗大山 摄）"},
		{"桥上。", "云州市文旅局", "桥上。（云州市文旅局 供图）"},
		{"桥上。", "受访者", "桥上。（受访者 供图）"},
		{"桥上。", "新华社 林小河", "桥上。（新华社 林小河 摄）"},
		{"桥上。", "新华社", "桥上。（新华社发）"},
		{"", "林小河", "林小河 摄"},
		{"桥上。", "", "桥上。"},
		{"", "", ""},
	} {
		var caption []run
		if tt.caption != "" {
			caption = []run{{text: tt.caption}}
		}
		if got := plain(withCredit(caption, tt.credit)); got != tt.want {
			t.Errorf("%q by %q: %q, want %q", tt.caption, tt.credit, got, tt.want)
		}
	}
}

func FuzzByline(f *testing.F) {
	for _, s := range []string{"本报讯（记者 林小河）", "□本报记者X Y\n通讯员 文/摄", "文/图", "王 伟 李", "（（（", "记者记者记者", "据《》电", "新华社发（摄"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for _, how := range []strictness{titledName, lenientName, strictName} {
			c, ok := parseCredits(s, nil, how)
			if !ok && (len(c.people) > 0 || c.agency != "") {
				t.Fatalf("%q: people of what is no byline: %v", s, c)
			}
			for _, p := range c.people {
				if p.Name == "" || p.Role == "" {
					t.Fatalf("%q: empty name or role: %v", s, c.people)
				}
			}
		}
		if n := datelineEnd(s); n < 0 || n > len(s) {
			t.Fatalf("%q: dateline ends at %d of %d", s, n, len(s))
		}
		if caption, _ := splitCredit(s); len(caption) > len(s) {
			t.Fatalf("%q: the caption grew: %q", s, caption)
		}
		if n, _ := trailing(s, nil); n > len(s) {
			t.Fatalf("%q: byline begins at %d of %d", s, n, len(s))
		}
	})
}
