// Holds documents against the schemas of their formats: JSON Feed, and ninjs in the
// version that the document names, the whole of it and every item alone.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node validate.mjs SCHEMAS FILE…
// Prints one JSON object: file → version, errors, items.
import fs from 'node:fs'
import { validators } from './schemas.mjs'

const [folder, ...files] = process.argv.slice(2)
const known = validators(folder)

const out = {}
for (const file of files) {
  const doc = JSON.parse(fs.readFileSync(file, 'utf8')), errors = []
  const version = doc.standard?.version ?? 'jsonfeed'
  const check = (what, d) => errors.push(...known[version](d).map(e => ({ what, ...e })))
  check('feed', doc)
  const items = (doc.associations ?? []).map(({ name, rel, ...item }) => {
    check(item.uri, item)
    return {
      id: item.uri, title: item.headlines?.[0]?.value, published: item.firstcreated ?? item.firstCreated, updated: item.versioncreated ?? item.versionCreated,
      status: item.pubstatus ?? item.pubStatus, version: item.version, link: item.renditions?.[0]?.href, body: item.bodies?.[0]?.value ?? '',
      pictures: (item.associations ?? []).filter(a => a.type === 'picture').map(a => a.renditions[0].href),
    }
  })
  out[file] = { version, errors, items }
}
process.stdout.write(JSON.stringify(out))
