// Reads feeds as their consumers do and prints what they saw as one JSON object.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node consume.mjs FEED.rss FEED.atom FEED.json SCHEMAS
// needs: npm install rss-parser@3.13.0 feedparser@2.6.0 feedsmith@3.0.1 ajv@8 ajv-formats
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'

const modules = path.resolve(process.env.PAPERWIRE_NODE_MODULES)
const require = createRequire(path.join(modules, 'x.cjs'))
const [rssFile, atomFile, jsonFile, schemas] = process.argv.slice(2)
const text = f => fs.readFileSync(f, 'utf8')

const Parser = require('rss-parser')
const rss = await new Parser().parseString(text(rssFile))

const FeedParser = require('feedparser')
function feedparser(file) {
  return new Promise((resolve, reject) => {
    const items = [], p = new FeedParser({ addmeta: false })
    p.on('error', reject)
    p.on('readable', () => { for (let i; (i = p.read());) items.push(i) })
    p.on('end', () => resolve(items))
    Readable.from([text(file)]).pipe(p)
  })
}

const smith = JSON.parse(text(path.join(modules, 'feedsmith/package.json')))
const entry = smith.exports?.['.']?.import?.default ?? smith.exports?.['.']?.import ?? smith.module ?? smith.main
const { parseFeed } = await import(pathToFileURL(path.join(modules, 'feedsmith', typeof entry === 'string' ? entry : entry.default)))

// The published schemas are draft 04; what they use of it differs from draft 07
// only in the name of the root's id.
function schema(name) {
  const s = JSON.parse(text(path.join(schemas, 'jsonfeed', name)))
  const $id = s.id.replace('http:', 'https:').replace(/\.json$/, '') + '.json'
  delete s.$schema
  delete s.id
  return JSON.parse(JSON.stringify({ ...s, $id }).replaceAll('"feed-1#', '"feed-1.json#'))
}
const Ajv = require('ajv').default
const ajv = new Ajv({ strict: false, allErrors: true })
require('ajv-formats').default(ajv)
ajv.addSchema(schema('feed-1.json'))
const validate = ajv.compile(schema('feed.json'))
const valid = validate(JSON.parse(text(jsonFile)))

const fp = items => items.map(i => ({
  title: i.title, link: i.link, guid: i.guid, date: i.pubdate, description: i.description, summary: i.summary,
  author: i.author, categories: i.categories, enclosures: i.enclosures, image: i.image,
}))
process.stdout.write(JSON.stringify({
  rssParser: rss,
  feedparser: { rss: fp(await feedparser(rssFile)), atom: fp(await feedparser(atomFile)) },
  feedsmith: { rss: parseFeed(text(rssFile)), atom: parseFeed(text(atomFile)), json: parseFeed(text(jsonFile)) },
  jsonErrors: valid ? [] : validate.errors,
}))
