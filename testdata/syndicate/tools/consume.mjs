// Reads feeds as their consumers do and prints what they saw as one JSON object.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node consume.mjs FEED.rss FEED.atom FEED.json SCHEMAS
// needs: npm install rss-parser@3.13.0 feedparser@2.6.0 feedsmith@3.0.1 ajv@8 ajv-formats
import fs from 'node:fs'
import path from 'node:path'
import { Readable } from 'node:stream'
import { pathToFileURL } from 'node:url'
import { require, validators } from './schemas.mjs'

const modules = path.resolve(process.env.PAPERWIRE_NODE_MODULES)
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

const errors = validators(schemas).jsonfeed(JSON.parse(text(jsonFile)))

const fp = items => items.map(i => ({
  title: i.title, link: i.link, guid: i.guid, date: i.pubdate, description: i.description, summary: i.summary,
  author: i.author, categories: i.categories, enclosures: i.enclosures, image: i.image,
}))
process.stdout.write(JSON.stringify({
  rssParser: rss,
  feedparser: { rss: fp(await feedparser(rssFile)), atom: fp(await feedparser(atomFile)) },
  feedsmith: { rss: parseFeed(text(rssFile)), atom: parseFeed(text(atomFile)), json: parseFeed(text(jsonFile)) },
  jsonErrors: errors,
}))
