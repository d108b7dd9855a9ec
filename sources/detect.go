package sources

import (
	"net/url"
	"regexp"
	"strings"
	"unicode/utf8"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// A wall answers 200 with a page that is no document. Its marks, lower case,
// and what they mean.
var wallMarks = []struct{ mark, reason string }{
	{"yunsuoautojump", "JavaScript challenge (YunSuo)"},
	{"security_verify_", "JavaScript challenge (YunSuo)"},
	{"security_session_verify", "JavaScript challenge (YunSuo)"},
	{"__jsl_clearance", "JavaScript challenge (Jiasule)"},
	{"acw_sc__v2", "JavaScript challenge (Aliyun WAF)"},
	{"aliyun_waf", "JavaScript challenge (Aliyun WAF)"},
	{"/cdn-cgi/challenge-platform", "JavaScript challenge (Cloudflare)"},
	{"cf-browser-verification", "JavaScript challenge (Cloudflare)"},
	{"cf_chl_opt", "JavaScript challenge (Cloudflare)"},
	{"$_ts=window", "JavaScript challenge (Ruishu)"},
	{"$_ts.cd", "JavaScript challenge (Ruishu)"},
	{"wzws-waf", "JavaScript challenge (WangZhan WeiShi)"},
	{"wzwsconfirm", "JavaScript challenge (WangZhan WeiShi)"},
	{"_guard/", "JavaScript challenge (CDN guard)"},
	{"ddos-guard", "JavaScript challenge (DDoS-Guard)"},
	{"geetest", "captcha (geetest)"},
	{"g-recaptcha", "captcha (reCAPTCHA)"},
	{"h-captcha", "captcha (hCaptcha)"},
	{"tcaptcha", "captcha (Tencent)"},
	{"aliyuncaptcha", "captcha (Aliyun)"},
	{"captcha", "captcha"},
	{"验证码", "captcha"},
	{"人机验证", "captcha"},
	{"滑动验证", "captcha"},
	{"滑块", "captcha"},
	{"安全验证", "captcha"},
	{"访问验证", "captcha"},
	{"just a moment...", "JavaScript challenge"},
	{"checking your browser", "JavaScript challenge"},
	{"正在检测您的浏览器", "JavaScript challenge"},
	{"浏览器安全检查", "JavaScript challenge"},
	{"请开启javascript", "JavaScript challenge"},
	{"请启用javascript", "JavaScript challenge"},
	{"enable javascript and cookies", "JavaScript challenge"},
	{"访问过于频繁", "rate limit page"},
	{"请求过于频繁", "rate limit page"},
	{"访问频率过快", "rate limit page"},
	{"网站防火墙", "firewall page"},
	{"web应用防火墙", "firewall page"},
	{"请求被拦截", "firewall page"},
	{"您的请求可能存在威胁", "firewall page"},
	{"访问被拒绝", "firewall page"},
	{"拦截提示", "firewall page"},
	{"safedog", "firewall page"},
	{"安全狗", "firewall page"},
	{"request blocked", "firewall page"},
	{"access denied", "firewall page"},
}

// A challenge that has no name: no text, a cookie set and the page loaded anew.
var (
	setsCookie = regexp.MustCompile(`(?i)document\s*(?:\.|\[['"])cookie`)
	noscript   = regexp.MustCompile(`(?is)<noscript[^>]*>(.*?)</noscript`)
	reloads    = regexp.MustCompile(`(?i)location\s*(?:\.|\[['"])?(?:reload|replace|href|=)`)
)

// Limits of a wall: a real page has more links or more text.
const (
	wallLinks = 5
	wallText  = 600 // characters
)

// wall tells why a document is a wall; empty where it is none. It asks for a
// known mark AND for the absence of everything a real page has.
func wall(d *document) string {
	if d.root == nil || len(d.body) > 512<<10 {
		return ""
	}
	links, content := 0, false
	walk(d.root, func(n *html.Node) bool {
		switch {
		case n.Type == html.CommentNode:
			content = content || strings.Contains(n.Data, "enpproperty") || strings.Contains(n.Data, "enpcontent")
		case n.DataAtom == atom.A && attr(n, "href") != "" && !strings.HasPrefix(attr(n, "href"), "#") && !strings.HasPrefix(strings.ToLower(attr(n, "href")), "javascript:"),
			n.DataAtom == atom.Area:
			links++
		case n.Data == "founder-content", attr(n, "id") == "ozoom":
			content = true
		case n.DataAtom == atom.Frame:
			content = true
		}
		return true
	})
	if content || links > wallLinks {
		return ""
	}
	words := ""
	if body := d.dom.Find("body"); body.Length() > 0 {
		// Mostly the first 4 KB tell that there is enough.
		if words = collapse(rawText(body.Nodes[0], 4<<10, nil)); utf8.RuneCountInString(words) > wallText && !noscript.Match(d.body) {
			return ""
		}
		words = collapse(rawText(body.Nodes[0], 16<<10, nil))
	}
	length := utf8.RuneCountInString(words)
	for _, m := range noscript.FindAllSubmatch(d.body, 10) {
		length -= utf8.RuneCountInString(plain(string(m[1]))) // what a browser does not show
	}
	if length > wallText {
		return ""
	}
	if u := hop(d); u != nil {
		if sh, ok := d.shapeOf(u); ok && sh.kind == indexPage {
			return "" // an entry that sends on to an edition
		}
	}
	low := strings.ToLower(string(d.body))
	for _, w := range wallMarks {
		if strings.Contains(low, w.mark) {
			if strings.HasPrefix(w.reason, "firewall") && links > 2 {
				continue
			}
			return w.reason + ": " + w.mark
		}
	}
	if length <= 20 && links == 0 && setsCookie.MatchString(low) && reloads.MatchString(low) {
		return "JavaScript challenge: sets a cookie and loads itself again"
	}
	return ""
}

var (
	refreshURL = regexp.MustCompile(`(?i)^\s*\d*(?:\.\d*)?\s*(?:[;,]\s*(?:url\s*=)?|url\s*=)['"\s]*([^'"\s][^'"]*?)['"\s]*$`)
	// location.href = '…', window.location="…", location.replace("…"); the
	// literal must be whole: "html/" + day is not followed.
	scriptHop = regexp.MustCompile(`(?i)location(?:\s*\.\s*href)?\s*(?:=|\.\s*(?:replace|assign)\s*\()\s*\\?["']([^"'\\<>]{1,300})\\?["']\s*([+]?)`)
)

// hop is where an entry page sends its reader on by refresh, script or frame;
// nil where it is the destination itself.
func hop(d *document) *url.URL {
	if d.root == nil {
		return nil
	}
	var meta, frame *url.URL
	var scripts strings.Builder
	links := 0
	walk(d.root, func(n *html.Node) bool {
		switch n.DataAtom {
		case atom.Meta:
			if meta == nil && strings.EqualFold(strings.TrimSpace(attr(n, "http-equiv")), "refresh") {
				if m := refreshURL.FindStringSubmatch(attr(n, "content")); m != nil {
					meta = resolve(d.base, m[1])
				}
			}
		case atom.A, atom.Area:
			if u := resolve(d.base, attr(n, "href")); u != nil {
				links++
			}
		case atom.Frame, atom.Iframe:
			if u := resolve(d.base, attr(n, "src")); u != nil && frame == nil {
				if s, ok := d.shapeOf(u); ok && s.kind == indexPage {
					frame = u
				}
			}
		case atom.Script:
			if n.FirstChild != nil {
				scripts.WriteString(n.FirstChild.Data)
				scripts.WriteByte('\n')
			}
		}
		if n.Type == html.ElementNode {
			scripts.WriteString(attr(n, "onload"))
			scripts.WriteByte('\n')
		}
		return true
	})
	here := identity(d.url.String())
	if meta != nil && identity(meta.String()) != here && (!padPath.MatchString(meta.Path) || padPath.MatchString(d.url.Path)) {
		return meta
	}
	// A full page may redirect telephones by script, or reload itself.
	if links > 10 {
		return nil
	}
	var plainHop *url.URL
	for _, m := range scriptHop.FindAllStringSubmatch(scripts.String(), 40) {
		u := resolve(d.base, m[1])
		if u == nil || m[2] != "" || identity(u.String()) == here || padPath.MatchString(u.Path+"/") && !padPath.MatchString(d.url.Path) {
			continue
		}
		if s, ok := d.shapeOf(u); ok && s.kind == indexPage {
			return u
		}
		plainHop = u
	}
	if frame != nil {
		return frame
	}
	return plainHop
}
