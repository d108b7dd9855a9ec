// The published schemas of JSON Feed and ninjs, compiled.
// needs: ajv@8 and ajv-formats in PAPERWIRE_NODE_MODULES
import fs from 'node:fs'
import path from 'node:path'
import { createRequire } from 'node:module'

export const require = createRequire(path.join(path.resolve(process.env.PAPERWIRE_NODE_MODULES), 'x.cjs'))

function ajv(module) {
  const a = new (require(module).default)({ strict: false, allErrors: true })
  require('ajv-formats').default(a)
  return a
}

// validators gives a function (document → errors) by name: jsonfeed, ninjs 2.2, ninjs 3.1.
export function validators(folder) {
  const read = (...names) => JSON.parse(fs.readFileSync(path.join(folder, ...names), 'utf8'))
  const said = validate => doc => (validate(doc) ? [] : validate.errors)

  // Draft 04; what JSON Feed uses of it differs from draft 07 only in the name of the
  // root's id.
  const jsonfeed = name => {
    const s = read('jsonfeed', name)
    const $id = s.id.replace('http:', 'https:').replace(/\.json$/, '') + '.json'
    delete s.$schema
    delete s.id
    return JSON.parse(JSON.stringify({ ...s, $id }).replaceAll('"feed-1#', '"feed-1.json#'))
  }
  const old = ajv('ajv')
  old.addSchema(jsonfeed('feed-1.json'))

  const young = ajv('ajv/dist/2020')
  young.addSchema(read('ninjs', 'geojson.json'))
  const ninjs = version => {
    const s = read('ninjs', `ninjs-schema_${version}.json`)
    delete s.$defs.unevaluatedProperties // it stands among the definitions by mistake
    return said(young.compile(s))
  }
  return { jsonfeed: said(old.compile(jsonfeed('feed.json'))), '2.2': ninjs('2.2'), '3.1': ninjs('3.1') }
}
