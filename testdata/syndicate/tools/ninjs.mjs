// Holds ninjs documents against IPTC's schemas: the whole, and every item alone.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node ninjs.mjs SCHEMAS FILE…
// The version is the document's own. Prints one JSON object: file → errors, items.
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

const require = createRequire(path.join(path.resolve(process.env.PAPERWIRE_NODE_MODULES), 'x.cjs'))
const [schemas, ...files] = process.argv.slice(2)
const read = f => JSON.parse(fs.readFileSync(f, 'utf8'))
const schema = name => read(path.join(schemas, 'ninjs', name + '.json'))

const Ajv = require('ajv/dist/2020').default
const ajv = new Ajv({ strict: false, allErrors: false })
require('ajv-formats').default(ajv)
ajv.addSchema(schema('geojson'))
const validators = {}
for (const v of ['2.2', '3.1']) {
  const s = schema('ninjs-schema_' + v)
  delete s.$defs.unevaluatedProperties // 3.1 has this keyword among its definitions by mistake
  validators[v] = ajv.compile(s)
}

const out = {}
for (const file of files) {
  const doc = read(file), errors = []
  const validate = validators[doc.standard.version]
  const check = (what, d) => { if (!validate(d)) errors.push({ what, errors: validate.errors }) }
  check('feed', doc)
  const items = (doc.associations ?? []).map(({ name, rel, ...item }) => {
    check(item.uri, item)
    return {
      id: item.uri, title: item.headlines?.[0]?.value, published: item.firstcreated ?? item.firstCreated, updated: item.versioncreated ?? item.versionCreated,
      status: item.pubstatus ?? item.pubStatus, version: item.version, link: item.renditions?.[0]?.href, body: item.bodies?.[0]?.value ?? '',
      pictures: (item.associations ?? []).filter(a => a.type === 'picture').map(a => a.renditions[0].href),
    }
  })
  out[file] = { version: doc.standard.version, errors, items }
}
process.stdout.write(JSON.stringify(out))
