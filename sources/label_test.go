package sources

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestReadLabel(t *testing.T) {
	for _, c := range []struct {
		in, number, name string
		sure             int
	}{
		{"第04版:焦作/ 温县·马村区", "04", "焦作/温县·马村区", strongLabel},
		{"第A01版：头版", "A01", "头版", strongLabel},
		{"A01： 头版", "A01", "头版", strongLabel},
		{"01版:要闻", "01", "要闻", strongLabel},
		{"第1版　　　　要闻", "1", "要闻", strongLabel},
		{"第1版&nbsp;要闻", "1", "要闻", strongLabel},
		{"第1版\u00a0要闻", "1", "要闻", strongLabel},
		{"(GA01) 封面", "GA01", "封面", strongLabel},
		{"（GA01）封面", "GA01", "封面", strongLabel},
		{"第01版：", "01", "", strongLabel},
		{"第01版", "01", "", strongLabel},
		{"第06版：财&#32;经", "06", "财经", strongLabel},
		{"第02版：要 闻", "02", "要闻", strongLabel},
		{"第02版：要　闻", "02", "要闻", strongLabel},
		{"第02版：要 闻/时 政", "02", "要闻/时政", strongLabel},
		{"第02版：党 建 引领", "02", "党建 引领", strongLabel},
		{"第04版：“千村”看变化 摄影特刊", "04", "“千村”看变化 摄影特刊", strongLabel},
		{"0607", "0607", "", weakLabel},
		{"0607版：专题", "0607", "专题", strongLabel},
		{"第06-07版：专题", "06-07", "专题", strongLabel},
		{"第06、07版：专题", "06、07", "专题", strongLabel},
		{"第一版", "1", "", strongLabel},
		{"第一版：要闻", "1", "要闻", strongLabel},
		{"一版", "1", "", strongLabel},
		{"第十二版 副刊", "12", "副刊", strongLabel},
		{"第二十一版", "21", "", strongLabel},
		{"第一百零三版", "103", "", strongLabel},
		{"第Ａ０１版：头版", "A01", "头版", strongLabel},
		{"第 A01 版 头版", "A01", "头版", strongLabel},
		{"A01版 头版", "A01", "头版", strongLabel},
		{"A1 版：头版", "A1", "头版", strongLabel},
		{"01版：头版 2026年08月20日 星期四 下一版", "01", "头版", strongLabel},
		{"2026年8月20日 第A01版：头版", "A01", "头版", strongLabel},
		{"第01版：头版 上一版 下一版", "01", "头版", strongLabel},
		{"第01版：头版 下一版4", "01", "头版", strongLabel},
		{"第01版：头版 PDF下载", "01", "头版", strongLabel},
		{"版次：A02", "A02", "", strongLabel},
		{"版次：A02 来源：示例晚报 2024年08月30日", "A02", "", strongLabel},
		{"版面：03 要闻", "03", "要闻", strongLabel},
		{"要闻（01版）", "01", "要闻", weakLabel},
		{"要闻 第03版", "03", "要闻", weakLabel},
		{"A01-要闻", "A01", "要闻", weakLabel},
		{"A01 要闻", "A01", "要闻", weakLabel},
		{"A01要闻", "A01", "要闻", weakLabel},
		{"01", "01", "", weakLabel},
		{"T01", "T01", "", weakLabel},
		{"特1版：增刊", "特1", "增刊", strongLabel},
		{"第03版：要闻·公益广告", "03", "要闻·公益广告", strongLabel},
		{"第03版：县区 ｜ 乡镇", "03", "县区｜乡镇", strongLabel},
		{"第03版(专版)", "03", "专版", strongLabel},
		{"第05版：历史性变革⑧", "05", "历史性变革⑧", strongLabel},

		{"下一版", "", "", noLabel},
		{"上一版", "", "", noLabel},
		{"3 上一版", "", "", noLabel},
		{"下一版 4", "", "", noLabel},
		{"返回头版", "", "", noLabel},
		{"版面导航", "", "", noLabel},
		{"（下转第02版）", "", "", noLabel},
		{"上接第01版", "", "", noLabel},
		{"详见第03版", "", "", noLabel},
		{"今日8版", "", "", noLabel},
		{"共 16 版", "", "", noLabel},
		{"本版责编：某某", "", "", noLabel},
		{"2024：回顾与展望", "", "", noLabel},
		{"10：30 开播", "", "", noLabel},
		{"2024", "", "", noLabel},
		{"5月新政来了", "", "", noLabel},
		{"要闻", "", "", noLabel},
		{"", "", "", noLabel},
		{"00版", "", "", noLabel},
		{"第01版：" + strings.Repeat("长", 80), "", "", noLabel},
		{"\xff\xfe01版", "", "", noLabel},
	} {
		ref, sure := readLabel(c.in)
		if ref.Number != c.number || ref.Name != c.name || sure != c.sure {
			t.Errorf("%q: %+v %d, want %q %q %d", c.in, ref, sure, c.number, c.name, c.sure)
		}
	}
}

func FuzzReadLabel(f *testing.F) {
	for _, s := range []string{"第04版:焦作/ 温县·马村区", "(GA01) 封面", "第一百零三版", "版次：A02 来源：x", "下一版", "0607", "&#x0;01版"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, sure := readLabel(s)
		if (sure == noLabel) != (ref.Number == "") {
			t.Errorf("%q: %+v %d", s, ref, sure)
		}
		if !utf8.ValidString(ref.Name) || utf8.RuneCountInString(ref.Name) > maxLabelName || len(ref.Number) > 40 || strings.ContainsAny(ref.Number+ref.Name, "\n\t\r\x00") {
			t.Errorf("%q: %+v", s, ref)
		}
		if sure == strongLabel && ref.Name != "" {
			// What was read once reads the same again.
			again, _ := readLabel("第" + ref.Number + "版：" + ref.Name)
			if again.Number != "" && again.Number != ref.Number {
				t.Errorf("%q: %+v, again %+v", s, ref, again)
			}
		}
	})
}
