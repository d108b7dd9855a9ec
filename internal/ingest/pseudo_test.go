package ingest

import "testing"

func TestPseudo(t *testing.T) {
	news := "<p>本报讯（记者 林小河）" + filler + "</p>"
	unsigned := "<p>" + filler + "</p>"
	void := "<p>林小河遗失身份证一张，声明作废。</p>"
	for _, tt := range []struct{ headline, page, body, want string }{
		{"导读", "要闻", unsigned, "导读"},
		{"导 读", "要闻", unsigned, "导读"},
		{"今日导读", "要闻", unsigned, "导读"},
		{"广告", "要闻", "", "广告"},
		{"公益广告", "要闻", "", "公益广告"},
		{"分类广告", "要闻", unsigned, "广告"},
		{"责编：林小河 校对：罗大山", "要闻", "", "责编"},
		{"本版编辑 林小河", "要闻", "", "责编"},
		{"编辑", "要闻", "", "责编"},
		{"公告", "综合", unsigned, "公告"},
		{"公 告", "综合", unsigned, "公告"},
		{"启事", "综合", unsigned, "启事"},
		{"声明", "综合", void, "声明"},
		{"遗失声明", "综合", void, "遗失声明"},
		{"注销公告", "综合", unsigned, "注销公告"},
		{"云州市小桥工程有限公司减资公告", "综合", unsigned, "公告"},
		{"国有建设用地使用权挂牌出让公告", "综合", unsigned, "公告"},
		{"公 示", "综合", unsigned, "公告"},
		{"林小河", "中缝", unsigned, "中缝"},
		{"双色球开奖", "彩票", unsigned, "彩票"},
		{"第三季度报告", "信息披露", unsigned, "信息披露"},
		{"某某楼盘开盘", "广告·公益广告", unsigned, "广告"},
		{"某某楼盘开盘", "广告版", unsigned, "广告"},
		{"丢了东西", "综合", void, "遗失声明"},

		{"小桥通了", "要闻·公益广告", unsigned, ""},
		{"小桥通了", "广告", news, ""},
		{"拆迁公告贴出来以后", "民生", unsigned, ""},
		{"市政府发布国有土地出让公告", "要闻", unsigned, ""},
		{"公告", "要闻", news, ""},
		{"一则遗失声明背后的故事", "民生", unsigned, ""},
		{"卫健委回应中标公告", "要闻", unsigned, ""},
		{"公益广告大赛开幕", "要闻", unsigned, ""},
		{"广告人的一天", "副刊", unsigned, ""},
		{"编辑的故事", "副刊", unsigned, ""},
		{"图片新闻", "要闻", unsigned, ""},
		{"导读课进了校园", "教育", unsigned, ""},
		{"身份证不用再登报声明作废了", "民生", "<p>本报讯（记者 林小河）今后丢了身份证不用登报声明作废，可以直接补办。</p>", ""},
		{"全国人民代表大会常务委员会公告", "要闻", unsigned, ""},
		{"天气预报", "要闻", unsigned, ""},
		{"小桥通了", "", unsigned, ""},
	} {
		a := normalised(tt.body, func(p *printed) {
			p.Headline = tt.headline
			p.Page.Number, p.Page.Name = "05", tt.page
		})
		if a.Pseudo != tt.want {
			t.Errorf("%s on %s: %q, want %q", tt.headline, tt.page, a.Pseudo, tt.want)
		}
	}
}
