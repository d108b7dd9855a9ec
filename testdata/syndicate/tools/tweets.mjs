// Counts texts as X does. Reads a JSON list of texts and prints, for each, its
// weighted length and whether X takes it.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node tweets.mjs <texts.json
// needs: twitter-text@3.1.0
import fs from 'node:fs'
import { require } from './schemas.mjs'

const { parseTweet } = require('twitter-text')
const texts = JSON.parse(fs.readFileSync(0, 'utf8'))
process.stdout.write(JSON.stringify(texts.map(t => { const p = parseTweet(t); return { length: p.weightedLength, valid: p.valid } })))
