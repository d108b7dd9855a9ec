package web

import (
	"fmt"
	"html"
	"html/template"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/language"
)

// The languages of the pages, as BCP 47 tags.
const (
	chinese = "zh-CN"
	english = "en"
)

// locale is the language of one response. Chosen says that the reader asked for
// it with ?lang=, so links within the site carry it on: there is no cookie.
type locale struct {
	lang   string
	chosen bool
}

// message is one text in both languages. Arguments are numbered (%[1]s) because
// the two languages put them in different places.
type message struct{ zh, en string }

var messages = map[string]message{
	// Frame.
	"skip":           {"跳到正文", "Skip to content"},
	"nav":            {"本站", "Site"},
	"nav_home":       {"首页", "Home"},
	"nav_all":        {"全部报道", "All articles"},
	"nav_origin":     {"原站", "site"},
	"nav_status":     {"运行状况", "Status"},
	"footer_opml":    {"全部订阅源（OPML）", "All feeds (OPML)"},
	"site_line":      {"报纸版面的订阅源：按栏目、按县区", "Newspaper editions as feeds, by section and by district"},
	"one_article":    {"1 篇", "1 article"},
	"scope_retired":  {"这份报纸已不再读取，旧报道和订阅源仍在。", "This paper is no longer read; its articles and feeds remain."},
	"articles_count": {"%[1]s 篇", "%[1]s articles"},
	"separator":      {"、", ", "},

	// Home.
	"home_desc":      {"把报纸每期的报道按栏目和县区分开，做成 RSS、Atom 和 JSON Feed 订阅源。", "The articles of each newspaper edition, by section and by district, as RSS, Atom and JSON Feed."},
	"home_newest":    {"最新一期", "Newest editions"},
	"home_latest":    {"最新报道", "Latest articles"},
	"home_districts": {"按县区", "By district"},
	"home_sections":  {"按栏目", "By section"},
	"home_papers":    {"按报纸", "By paper"},
	"home_elsewhere": {"其他", "Others"},
	"home_empty":     {"还没有报道。第一期读到以后会出现在这里；读取情况见%[1]s。", "There are no articles yet. The first edition appears here as soon as it has been read; see %[1]s."},
	"whole_edition":  {"看这一期", "Read this edition"},
	"pages_articles": {"%[1]s 个版，%[2]s 篇", "%[1]s pp., %[2]s articles"},
	"no_news_yet":    {"暂无报道", "no articles yet"},

	// What a scope is, in one sentence.
	"scope_all":          {"全部报道", "All articles"},
	"scope_all_sentence": {"本站全部报纸的全部报道，新的在前。", "Every article of every paper here, newest first."},
	"scope_sentence":     {"%[1]s%[2]s%[3]s%[4]s的报道%[5]s，新的在前。", "Articles%[4]s%[1]s%[2]s%[3]s%[5]s, newest first."},
	"scope_papers":       {"%[1]s", " from %[1]s"},
	"scope_pages":        {"第%[1]s版", ", page %[1]s"},
	"scope_sections":     {"“%[1]s”栏目中", ", filed under %[1]s"},
	"scope_districts":    {"有关%[1]s", " about %[1]s"},
	"scope_without":      {"（不含%[1]s）", ", without %[1]s"},
	"scope_whole_city":   {"包括所辖各县区和全市性的报道。", "It includes every district below it and what concerns the whole of it."},
	"title_without":      {"不含%[1]s", "without %[1]s"},
	"scope_every":        {"全部报纸", " from every paper"},
	"page_n":             {"第%[1]s版", "Page %[1]s"},
	"subscribe":          {"订阅", "Subscribe"},
	"subscribe_hint":     {"把地址复制到阅读器里；同一篇报道在各种格式里内容相同。", "Copy an address into your feed reader; every format carries the same articles."},
	"subscribe_all":      {"订阅全部报道", "Subscribe to everything"},
	"subscribe_all_hint": {"只想看一个县区、栏目或一份报纸，请先点下面的名称。", "For one district, section or paper only, choose its name below first."},
	"copy":               {"复制", "Copy"},
	"copied":             {"已复制", "Copied"},
	"open_reader":        {"打开", "Open"},
	"more_formats":       {"供程序使用的格式", "Formats for programs"},
	"opml_scope":         {"这里全部订阅源的清单（OPML）", "All feeds below this one (OPML)"},
	"articles":           {"报道", "Articles"},
	"older":              {"更早的报道", "Older articles"},
	"newest_first":       {"回到最新", "Back to the newest"},
	"recent_editions":    {"最近各期", "Recent editions"},
	"near_here":          {"相关订阅", "Related feeds"},
	"empty_scope":        {"这里现在没有报道。", "There are no articles here at present."},
	"empty_last":         {"%[1]s最近一次有报道是在%[2]s。", "%[1]s last had an article on %[2]s."},
	"empty_never":        {"%[1]s还没有过报道。", "%[1]s has had no article yet."},
	"empty_subscribe":    {"现在就可以订阅：地址一直有效，有了新报道，阅读器会收到。", "You can subscribe all the same: the address stays valid, and your reader will receive the next article."},
	"empty_older":        {"没有更早的报道了。", "There are no older articles."},
	"in_paper":           {"《%[1]s》", "%[1]s"},
	"in_paper_page":      {"《%[1]s》第%[2]s版 %[3]s", "%[1]s, page %[2]s %[3]s"},
	"corrected_mark":     {"有更正", "corrected"},
	"search":             {"搜索", "Search"},
	"search_words":       {"词语（最多四个，空格分开）", "Words (at most four)"},
	"search_title":       {"搜索“%[1]s”", "Search: %[1]s"},
	"search_none":        {"没有找到同时含有这些词语的报道。", "No article holds all of these words."},
	"search_feed":        {"订阅这个搜索（RSS）", "Subscribe to this search (RSS)"},
	"bad_cursor":         {"翻页的位置写得不对，请回到第一页。", "The position to continue from is not valid; start from the first page."},

	// Editions.
	"edition_title":    {"%[1]s %[2]s", "%[1]s, %[2]s"},
	"edition_desc":     {"%[1]s %[2]s 第%[3]s版的版面和报道。", "%[1]s, %[2]s: page %[3]s with its articles."},
	"edition_pages":    {"版面", "Pages"},
	"page_picture":     {"%[1]s第%[2]s版版面图", "Picture of %[1]s, page %[2]s"},
	"page_picture_map": {"点版面上的文章即可阅读，也可以从目录里选。", "Choose an article on the picture or in the list."},
	"no_picture":       {"这一版没有版面图。", "There is no picture of this page."},
	"full_picture":     {"看大图", "Full size"},
	"pdf":              {"本版 PDF", "PDF of this page"},
	"origin_edition":   {"报社的数字报", "The publisher’s edition"},
	"prev_page":        {"上一版", "Previous page"},
	"next_page":        {"下一版", "Next page"},
	"prev_edition":     {"上一期", "Previous edition"},
	"next_edition":     {"下一期", "Next edition"},
	"edition_nav":      {"前后各版各期", "Other pages and editions"},
	"page_empty":       {"这一版没有可读的报道。", "There is no article to read on this page."},
	"whole_contents":   {"本期目录", "The whole edition"},
	"subscribe_page":   {"订阅这一版", "Subscribe to this page"},
	"edition_partial":  {"这一期还没有读全，缺的报道读到后会补上。", "This edition has not been read completely yet; what is missing will be added."},

	// Articles.
	"article_text":         {"正文", "Text"},
	"origin":               {"在%[1]s阅读原文", "Read the original at %[1]s"},
	"origin_rest":          {"全文请在%[1]s阅读", "Read the whole article at %[1]s"},
	"rights_summary":       {"按版权约定，这里只登摘要。", "By agreement with the publisher, only a summary stands here."},
	"rights_headline":      {"按版权约定，这里只登标题。", "By agreement with the publisher, only the headline stands here."},
	"agency":               {"来源：%[1]s", "Source: %[1]s"},
	"filed":                {"归档", "Filed under"},
	"why":                  {"为什么归在%[1]s", "Why this is filed under %[1]s"},
	"why_hint":             {"依据是文中的这些词，每处写明位置、规则和分值；总分 %[1]s。", "It rests on these words; each is given with its place, rule and weight. The total is %[1]s."},
	"why_none":             {"没有留下依据。", "No evidence was kept."},
	"why_rejected":         {"不计", "not counted"},
	"rule_full":            {"全称", "full name"},
	"rule_short":           {"简称", "short name"},
	"rule_organ":           {"简称加机构", "short name with a body of it"},
	"rule_town":            {"乡镇或街道", "town or street"},
	"rule_town name":       {"乡镇名", "name of a town"},
	"rule_shared town":     {"两县都有的乡镇", "town that two counties have"},
	"rule_former":          {"旧称", "former name"},
	"rule_alias":           {"别称", "other name"},
	"rule_landmark":        {"地标", "landmark"},
	"rule_dateline":        {"电头", "dateline"},
	"rule_page":            {"版名", "name of the page"},
	"rule_page alone":      {"只有版名", "only the page's name speaks"},
	"rule_byline":          {"署名", "byline"},
	"rule_byline alone":    {"只有署名", "only the byline speaks"},
	"rule_bare":            {"简称无旁证", "short name without support"},
	"rule_word":            {"另有含义的词", "a word that means something else"},
	"rule_generic":         {"泛称", "a common noun"},
	"rule_road":            {"道路名", "name of a road"},
	"rule_station":         {"车站或收费站", "name of a station"},
	"rule_river":           {"山水名", "name of a river or mountain"},
	"rule_brand":           {"企业或品牌", "company or brand"},
	"rule_title of a work": {"作品名", "title of a work"},
	"rule_elsewhere":       {"外地同名", "a place elsewhere"},
	"rule_inside":          {"别县的村名", "a village elsewhere"},
	"rule_origin":          {"人的来处", "where somebody comes from"},
	"rule_passing":         {"途经或比较", "passed or compared with"},
	"rule_visit":           {"来访者所在", "where visitors come from"},
	"rule_person":          {"人名", "a person's name"},
	"rule_name":            {"名称的一部分", "part of a longer name"},
	"rule_editor":          {"编辑指定", "an editor said so"},
	"zone_page":            {"版名", "name of the page"},
	"zone_title":           {"标题", "title"},
	"zone_lead":            {"首段", "first paragraph"},
	"zone_body":            {"正文", "text"},
	"zone_byline":          {"署名", "byline"},
	"corrected_note":       {"这篇报道在%[1]s更正过，现在是第%[2]s稿。", "This article was corrected on %[1]s; this is version %[2]s."},
	"date_page":            {"%[1]s第%[2]s版", "%[1]s, page %[2]s"},
	"corrects":             {"更正的是%[1]s《%[2]s》", "This is a correction of %[2]s (%[1]s)"},
	"corrected_by":         {"%[1]s刊登了对本文的更正", "A correction of this article was printed on %[1]s"},
	"story_fuller":         {"同一报道的全文：%[2]s（%[1]s）", "The whole story: %[2]s (%[1]s)"},
	"story_brief":          {"同一报道的简讯：%[2]s（%[1]s）", "A brief of this story: %[2]s (%[1]s)"},
	"story_same":           {"同一报道也刊于：%[2]s（%[1]s）", "The same story: %[2]s (%[1]s)"},
	"first_published":      {"%[1]s在本站发布", "Published here on %[1]s"},
	"neighbours":           {"同期的前后篇", "Before and after it in this edition"},
	"prev_article":         {"上一篇", "Previous article"},
	"next_article":         {"下一篇", "Next article"},
	"same_page":            {"同版报道", "On the same page"},
	"share":                {"转发", "Share"},
	"share_address":        {"本页地址", "Address of this page"},
	"share_mail":           {"电子邮件", "E-mail"},
	"share_qr":             {"本页地址的二维码", "QR code of this page’s address"},
	"share_qr_hint":        {"用手机扫码打开；在微信里扫码打开后再转发，才会显示成卡片。", "Scan to open this page on a phone. In WeChat, open it by scanning before you share it, so that it shows as a card."},
	"share_weibo":          {"微博", "Weibo"},
	"share_qzone":          {"QQ空间", "QZone"},
	"photo_credit":         {"摄影：%[1]s", "Photograph: %[1]s"},
	"picture_of":           {"配图：%[1]s", "Picture: %[1]s"},
	"role_reporter":        {"记者", "Reporter"},
	"role_correspondent":   {"通讯员", "Correspondent"},
	"role_intern":          {"实习生", "Intern"},
	"role_photographer":    {"摄影", "Photographer"},
	"role_editor":          {"编辑", "Editor"},
	"role_author":          {"作者", "By"},
	"gone_title":           {"这篇报道已撤回", "This article has been withdrawn"},
	"gone_text":            {"报社已撤回这篇报道，撤回时间为%[1]s。它的内容不再提供，已经收到它的订阅者会收到撤回通知。", "The publisher withdrew this article on %[1]s. Its content is no longer available, and those who received it are being told."},
	"gone_edition":         {"看%[1]s当期的其他报道", "Read the other articles of %[1]s on that day"},

	// Status.
	"status_title":      {"运行状况", "Status"},
	"status_desc":       {"每个来源最近读到哪一期、读全了没有、有什么问题。", "What was last read from each source, whether it was complete, and what is wrong."},
	"status_all_well":   {"%[1]s 个来源都正常。", "All %[1]s sources are well."},
	"status_one_well":   {"唯一的来源正常。", "The one source is well."},
	"status_trouble":    {"需要看一看：%[1]s。", "Needs a look: %[1]s."},
	"status_named":      {"%[1]s（%[2]s）", "%[1]s (%[2]s)"},
	"status_no_trouble": {"没有要处理的问题。", "Nothing needs a look."},
	"status_partial":    {" 还没读全的有 %[1]s 个，缺的会自动补读。", " Not complete yet: %[1]s; what is missing is read again by itself."},
	"status_past":       {"已经过去的问题", "Trouble that is over"},
	"from_to":           {"%[1]s 至 %[2]s", "%[1]s to %[2]s"},
	"what_to_do":        {"怎么办", "What to do:"},
	"do_failing":        {"用浏览器打开原站。打不开，是报社网站的故障，这里会自动再试，不用处理；打得开，可能是网址或网站变了：运行 %[1]s，看它建议的配置。", "Open the site in a browser. If it does not open, the trouble is the publisher’s, and it is tried again by itself. If it does, its address or form may have changed: run %[1]s and see what it proposes."},
	"do_blocked":        {"网站拦住了自动读取。这里不会绕过它，读取会自动放慢；请联系报社，商定读取的办法。", "The site keeps programs out. It is not bypassed, and looks become rarer by themselves; agree on access with the publisher."},
	"do_alarm":          {"已发出的报道不受影响。对照原站看一看：要是改版了，运行 %[1]s，看它建议的配置；要是一时出错，恢复以后警报会自动解除。", "What was published stays. Compare with the site: if it was redesigned, run %[1]s and see what it proposes; if it was a fault of the day, the alarm ends by itself."},
	"do_late":           {"看看原站有没有今天的报：没有，可能晚出或休刊，不用处理；有，运行 %[1]s，看它说什么。", "See whether the site has the edition of the day. If not, it is late or there is none: nothing to do. If it has, run %[1]s and see what it says."},
	"do_missing":        {"发布方的目录里有这一期，页面却打不开。等发布方补上，或稍后运行 %[1]s。", "The publisher lists this edition and does not have it. Wait until it does, or run %[1]s later."},
	"do_partial":        {"不用处理，缺的会自动补读。", "Nothing: what is missing is read again by itself."},
	"status_none":       {"还没有配置来源。在配置文件的 sources 下加上 key、name 和 url 即可。", "No source is configured yet. Add one with key, name and url under sources in the configuration."},
	"status_zone":       {"时间是各报所在时区的时间。", "Times are in the zone of each paper."},
	"status_feed":       {"订阅运行状况", "Subscribe to the status"},
	"th_source":         {"来源", "Source"},
	"th_state":          {"状态", "State"},
	"th_edition":        {"最近一期", "Last edition"},
	"th_complete":       {"完整", "Complete"},
	"th_checked":        {"上次成功读取", "Last good look"},
	"th_due":            {"下次读取", "Next look"},
	"read_of":           {"已读 %[1]s / %[2]s", "%[1]s of %[2]s read"},
	"failed_n":          {"%[1]s 篇没读到", "%[1]s failed"},
	"never":             {"还没有", "not yet"},
	"state_ok":          {"正常", "well"},
	"state_waiting":     {"等待", "waiting"},
	"state_failing":     {"失败", "failing"},
	"state_blocked":     {"被拦", "blocked"},
	"state_alarm":       {"警报", "alarm"},
	"state_partial":     {"不全", "partial"},
	"state_retired":     {"停用", "retired"},
	"state_late":        {"逾时未出报", "late"},
	"state_missing":     {"缺一期", "an edition is missing"},
	"state_since":       {"%[1]s 起", "since %[1]s"},

	// The desk.
	"desk_title":            {"发布台", "The desk"},
	"desk_of":               {"发布台：%[1]s", "The desk: %[1]s"},
	"desk_closed":           {"这里是发帖的人用的，凭管理密钥进入。", "This is for those who post the articles; it opens with the operator key."},
	"desk_key":              {"管理密钥", "Operator key"},
	"desk_where":            {"密钥由管理员设置，或在数据目录的 operator.key 里。登录保持 12 小时。", "The operator sets the key; else it is in operator.key in the data directory. You stay signed in for 12 hours."},
	"desk_enter":            {"进入", "Sign in"},
	"desk_leave":            {"退出", "Sign out"},
	"desk_wrong":            {"密钥不对，没有登录。", "This is not the key; you are not signed in."},
	"desk_busy":             {"试密钥的人太多，请过几秒再试。", "Too many keys are being tried; try again in a few seconds."},
	"desk_foreign":          {"这个表单不是从本站发出的。", "This form was not sent from here."},
	"desk_bad":              {"发布台没有这样的地址，请从 /desk 开始。", "The desk has no such address; start from /desk."},
	"desk_nothing":          {"还没有报道。第一期读到以后会出现在这里；读取情况见%[1]s。", "There are no articles yet. The first edition appears here as soon as it has been read; see %[1]s."},
	"desk_since":            {"只列%[1]s以后发布和改动的", "Only what was published or changed after %[1]s"},
	"desk_whole":            {"看最新一期", "The newest edition"},
	"desk_after":            {"从现在起（收藏这个地址，下次只看新的）", "From now on (keep this address, and next time see only what is new)"},
	"desk_changed":          {"改过和撤下的", "Corrected and withdrawn"},
	"desk_changed_more":     {"更早改过的 %[1]s 篇", "%[1]s earlier corrections"},
	"desk_day_before":       {"更早的一天", "An earlier day"},
	"desk_day_after":        {"更晚的一天", "A later day"},
	"desk_changed_at":       {"%[1]s 改动", "changed %[1]s"},
	"desk_withdrawn":        {"已撤回", "withdrawn"},
	"desk_do_down":          {"删除带有这个地址的帖子。", "Take down the posts that hold this address."},
	"desk_do_scrape":        {"核对已发的文字，再让平台重新读取链接：", "Check the text of what was posted, and let the platforms read the link again:"},
	"desk_posts":            {"可发的帖子", "Ready to post"},
	"desk_platforms":        {"平台", "Platforms"},
	"desk_paper":            {"报纸", "Paper"},
	"desk_day":              {"日期", "Day"},
	"desk_section":          {"栏目", "Section"},
	"desk_district":         {"县区", "District"},
	"desk_every":            {"全部", "All"},
	"desk_show":             {"筛选", "Show"},
	"desk_unfiltered":       {"取消筛选", "Show everything"},
	"desk_counted":          {"共 %[1]s 篇，这里是第 %[2]s 到 %[3]s 篇", "%[2]s to %[3]s of %[1]s"},
	"desk_position":         {"第 %[1]s 条", "no. %[1]s"},
	"desk_all":              {"全部平台", "All platforms"},
	"desk_back":             {"回到这一期", "Back to the edition"},
	"desk_page":             {"文章页", "Its page"},
	"desk_before":           {"前面的", "Before"},
	"desk_more":             {"后面的", "More"},
	"desk_none_new":         {"没有新的报道。", "Nothing new."},
	"desk_none_fit":         {"没有符合筛选的报道。", "No article fits."},
	"desk_none_here":        {"后面没有了。", "There is nothing further."},
	"desk_none_day":         {"这一天没有报道。", "There is no article on this day."},
	"desk_cut":              {"已截短", "shortened"},
	"desk_open":             {"去%[1]s发布", "Open the form of %[1]s"},
	"desk_picture":          {"下载图片", "Download the picture"},
	"desk_pictures":         {"各种尺寸的图片", "Pictures of every size"},
	"desk_dark":             {"深色", "dark"},
	"desk_copy_link":        {"复制链接", "Copy the link"},
	"field_post":            {"正文", "Text"},
	"field_title":           {"标题", "Title"},
	"field_desc":            {"描述", "Description"},
	"field_description":     {"描述", "Description"},
	"field_summary":         {"摘要", "Summary"},
	"field_digest":          {"摘要", "Digest"},
	"field_author":          {"作者", "Author"},
	"field_text":            {"内容", "Text"},
	"field_caption":         {"图片说明", "Caption"},
	"unit_bytes":            {"字节", "bytes"},
	"unit_graphemes":        {"字", "characters"},
	"unit_utf":              {"字符", "UTF-16 units"},
	"unit_han":              {"汉字", "Han characters"},
	"unit_weighted":         {"加权字符", "weighted characters"},
	"unit_threads":          {"字符", "characters"},
	"platform_weibo":        {"微博", "Weibo"},
	"platform_wechat_share": {"微信转发", "WeChat share"},
	"platform_wechat_draft": {"公众号草稿", "WeChat draft"},
	"platform_wechat_reply": {"公众号回复", "WeChat reply"},
	"platform_wecom":        {"企业微信", "WeCom"},
	"platform_dingtalk":     {"钉钉", "DingTalk"},
	"platform_feishu":       {"飞书", "Feishu"},
	"platform_qq":           {"QQ 和 QQ 空间", "QQ and QZone"},
	"platform_miniprogram":  {"小程序", "Mini-program"},
	"platform_x":            {"X", "X"},
	"platform_facebook":     {"Facebook", "Facebook"},
	"platform_telegram":     {"Telegram", "Telegram"},
	"platform_linkedin":     {"LinkedIn", "LinkedIn"},
	"platform_mastodon":     {"Mastodon", "Mastodon"},
	"platform_bluesky":      {"Bluesky", "Bluesky"},
	"platform_threads":      {"Threads", "Threads"},

	// Errors.
	"not_found_title":   {"没有找到这一页", "Page not found"},
	"not_found_text":    {"地址可能打错了，或者这个栏目、县区改了名称。", "The address may be mistyped, or the section or district may have another name."},
	"not_found_nearest": {"最接近的有：", "The nearest are:"},
	"bad_request_title": {"这个地址不对", "This address is not valid"},
	"error_title":       {"暂时无法显示", "This page cannot be shown now"},
	"error_text":        {"本站出了差错，已记入日志。订阅源不受影响，请过一会儿再试。", "Something went wrong here and has been logged. The feeds are not affected; please try again later."},
	"error_status":      {"错误代码 %[1]s", "Status %[1]s"},
	"back_home":         {"回到首页", "Back to the home page"},
}

// plain gives a message with its arguments as plain text, for attributes and
// headers. An unknown key shows itself, so that a typing error is seen; a test
// holds the templates against the catalogue.
func (l locale) plain(key string, args ...any) string {
	if key == "articles_count" && len(args) == 1 && args[0] == 1 {
		key, args = "one_article", nil
	}
	m, ok := messages[key]
	text := m.zh
	if l.lang == english {
		text = m.en
	}
	if !ok {
		text = key
	}
	if len(args) == 0 {
		return text
	}
	for i, a := range args {
		args[i] = fmt.Sprint(a)
	}
	return fmt.Sprintf(text, args...)
}

// rich gives a message as HTML: strings among the arguments are escaped and
// marked with their language, template.HTML is taken as it is.
func (l locale) rich(key string, args ...any) template.HTML {
	safe := make([]any, len(args))
	for i, a := range args {
		if h, ok := a.(template.HTML); ok {
			safe[i] = string(h)
			continue
		}
		if text, ok := a.(string); ok {
			safe[i] = string(l.name(text))
			continue
		}
		safe[i] = a // a number
	}
	return template.HTML(l.plain(key, safe...))
}

// name writes a name from the data: on an English page Han text says that it is
// Chinese, so that it is read and set right.
func (l locale) name(s string) template.HTML {
	esc := html.EscapeString(s)
	if l.lang == english && hasHan(s) {
		return template.HTML(`<span lang="` + chinese + `">` + esc + `</span>`)
	}
	return template.HTML(esc)
}

// names joins names as a list in the language of the page.
func (l locale) names(list []string) template.HTML {
	var b strings.Builder
	for i, s := range list {
		if i > 0 {
			b.WriteString(l.plain("separator"))
		}
		b.WriteString(string(l.name(s)))
	}
	return template.HTML(b.String())
}

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

// languages in the order of the matcher's tags; Chinese is for whom no
// preference is known: it is the language of the papers.
var matcher = language.NewMatcher([]language.Tag{language.MustParse(chinese), language.English})

// pageParams are the parameters of pages; the desk's are its own.
var pageParams = []string{"q", "before", "page", "lang"}

func pageQuery(raw string) string {
	if raw == "" {
		return ""
	}
	q, _ := url.ParseQuery(raw) // what cannot be read is not there
	var b strings.Builder
	for _, name := range pageParams {
		value := q.Get(name)
		if name == "lang" && value != "" {
			l, ok := langOf(value)
			if value = l; !ok {
				value = ""
			}
		}
		if !q.Has(name) || value == "" && name == "lang" {
			continue
		}
		if b.Len() > 0 {
			b.WriteByte('&')
		}
		b.WriteString(name)
		b.WriteByte('=')
		b.WriteString(url.QueryEscape(value))
	}
	return b.String()
}

// langOf is the language of ours that a tag means.
func langOf(tag string) (lang string, ok bool) {
	t, err := language.Parse(clip(tag, 20))
	if err != nil {
		return "", false
	}
	if base, _ := t.Base(); base.String() == "zh" {
		return chinese, true
	}
	return english, true
}

// localeOf chooses the language: ?lang= wins, then Accept-Language. Who asks
// for other languages only gets English; who asks for none gets Chinese.
func localeOf(r *http.Request) locale {
	if q := r.URL.Query().Get("lang"); q != "" {
		if lang, ok := langOf(q); ok {
			return locale{lang, true}
		}
	}
	accept := clip(r.Header.Get("Accept-Language"), 300)
	tags, weights, err := language.ParseAcceptLanguage(accept)
	if err != nil || len(tags) == 0 {
		return locale{lang: chinese}
	}
	// A weight of 0 refuses a language (RFC 9110 §12.4.2).
	tags = slices.DeleteFunc(slices.Clone(tags), func(t language.Tag) bool {
		for i := range tags {
			if tags[i] == t {
				return weights[i] == 0
			}
		}
		return false
	})
	_, at, sure := matcher.Match(tags...)
	if at == 1 || sure == language.No && len(tags) > 0 && tags[0] != language.Und && tags[0].String() != "mul" {
		return locale{lang: english}
	}
	return locale{lang: chinese}
}

// clip cuts a string to at most n bytes at a character's boundary.
func clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && s[n]&0xC0 == 0x80 {
		n--
	}
	return s[:n]
}
