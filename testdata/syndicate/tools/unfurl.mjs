// Reads share pages as messengers, search engines and social platforms do, and
// prints what each saw as one JSON object by address.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node unfurl.mjs BASE URL…
// needs: what testdata/tools/package.json names. Nothing but BASE is asked.
import { require } from './schemas.mjs'

const [base, ...urls] = process.argv.slice(2)

const metascraper = require('metascraper')(['author', 'date', 'description', 'image', 'publisher', 'title', 'url'].map(r => require('metascraper-' + r)()))
const ogs = require('open-graph-scraper')
const { unfurl } = require('unfurl.js')
const { getPreviewFromContent } = require('link-preview-js')
const urlMetadata = require('url-metadata')
const { structuredDataTest } = require('structured-data-testing-tool')
const { Google, Twitter, Facebook } = require('structured-data-testing-tool/presets')

async function look(url) {
  const answer = await fetch(url)
  const html = await answer.text()
  const headers = { 'content-type': answer.headers.get('content-type') }
  const page = { url, html }

  const og = (await (ogs.default ?? ogs)({ html })).result
  const meta = await metascraper(page)
  const un = await unfurl(url)
  const preview = await getPreviewFromContent({ url, data: html, headers })
  const um = await urlMetadata(null, { parseResponseObject: new Response(html, { headers }) })
  let tests
  try { tests = await structuredDataTest(html, { presets: [Google, Twitter, Facebook], schemas: ['jsonld:NewsArticle'] }) } catch (e) { if (e.type !== 'VALIDATION_FAILED') throw e; tests = e.res }
  return { og, metascraper: meta, unfurl: un, preview, urlMetadata: um, structured: {
    schemas: tests.schemas, failed: tests.failed.map(t => `${t.group}: ${t.description} ${t.error ? JSON.stringify(t.error) : ''}`),
    warnings: tests.warnings.map(t => `${t.group}: ${t.description}`), passed: tests.passed.length,
  } }
}

const seen = {}
for (const url of urls) {
  if (!url.startsWith(base + '/')) throw new Error(url + ' is not below ' + base)
  seen[url] = await look(url)
}
process.stdout.write(JSON.stringify(seen))
