// Reads share pages as messengers, search engines and social platforms do, and
// prints what each saw as one JSON object by address.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node unfurl.mjs PUBLIC ACTUAL URL…
// The pages name PUBLIC as their address and are read at ACTUAL; nothing else is asked.
// needs: what testdata/tools/package.json names.
import { require } from './schemas.mjs'

const [base, actual, ...urls] = process.argv.slice(2)

const metascraper = require('metascraper')(['author', 'date', 'description', 'image', 'publisher', 'title', 'url'].map(r => require('metascraper-' + r)()))
const openGraph = require('open-graph-scraper')
const { unfurl } = require('unfurl.js')
const { getPreviewFromContent } = require('link-preview-js')
const urlMetadata = require('url-metadata')
const { structuredDataTest } = require('structured-data-testing-tool')
const { Google, Twitter, Facebook } = require('structured-data-testing-tool/presets')

// Some take only addresses under a top-level domain that there is.
const shown = 'https://feeds.example.net'

const get = async url => {
  if (!url.startsWith(shown + '/')) throw new Error(url + ' is not below ' + base)
  const answer = await fetch(actual + url.slice(shown.length).replaceAll(encodeURIComponent(shown), encodeURIComponent(base)))
  return new Response((await answer.text()).replaceAll(base, shown).replaceAll(encodeURIComponent(base), encodeURIComponent(shown)), { status: answer.status, headers: { 'content-type': answer.headers.get('content-type') } })
}

async function look(url) {
  const answer = await get(url)
  const html = await answer.text()
  const headers = { 'content-type': answer.headers.get('content-type') }

  const og = (await openGraph({ html })).result
  const ms = await metascraper({ url, html })
  const un = await unfurl(url, { fetch: get })
  const lp = await getPreviewFromContent({ url, data: html, headers })
  const um = await urlMetadata(null, { parseResponseObject: new Response(html, { headers }), ensureSecureImageRequest: false })
  const sd = await structuredDataTest(html, { presets: [Google, Twitter, Facebook], schemas: ['jsonld:NewsArticle'] }).catch(e => {
    if (e.type !== 'VALIDATION_FAILED') throw e
    return e.res
  })
  const card = un.open_graph
  return {
    head: html.indexOf('</head>'),
    saw: {
      'open-graph-scraper': { title: og.ogTitle, description: og.ogDescription, image: og.ogImage?.[0]?.url, width: +og.ogImage?.[0]?.width, site: og.ogSiteName, author: og.author, date: og.articleModifiedTime ?? og.articlePublishedTime, tag: og.articleTag ?? '', url: og.ogUrl, images: og.ogImage?.length },
      metascraper: { title: ms.title, description: ms.description, image: ms.image, site: ms.publisher, author: ms.author, date: ms.date, url: ms.url },
      unfurl: { title: card.title, description: card.description, image: card.images?.[0]?.url, width: card.images?.[0]?.width, site: card.site_name, author: un.author, date: card.articles?.[0]?.modified_time ?? card.articles?.[0]?.published_time, url: card.url, images: card.images?.length },
      oEmbed: { title: un.oEmbed?.title, site: un.oEmbed?.provider_name, author: un.oEmbed?.author_name, image: un.oEmbed?.thumbnails?.[0]?.url, width: un.oEmbed?.thumbnails?.[0]?.width },
      'link-preview-js': { title: lp.title, description: lp.description, image: lp.images?.[0], site: lp.siteName, author: lp.author, images: lp.images?.length },
      'url-metadata': { title: um['og:title'], description: um.description, image: um['og:image'], width: +um['og:image:width'], site: um['og:site_name'], author: um.author, date: um['article:modified_time'] || um['article:published_time'], url: um['og:url'] },
      'X card': { title: un.twitter_card?.title, description: un.twitter_card?.description, image: un.twitter_card?.images?.[0]?.url },
    },
    structured: { schemas: sd.schemas, failed: sd.failed.map(t => `${t.group}: ${t.description} ${JSON.stringify(t.error ?? '')}`) },
  }
}

const seen = {}
for (const url of urls) seen[url] = await look(url.replace(base, shown))
process.stdout.write(JSON.stringify(seen).replaceAll(shown, base))
