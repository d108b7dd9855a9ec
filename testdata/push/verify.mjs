// Verifies messages with the library of Standard Webhooks.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node verify.mjs < JSON lines of {secret, headers, body}
// Prints one line for each: ok, or what is wrong.
import path from 'node:path'
import readline from 'node:readline'
import { createRequire } from 'node:module'

const require = createRequire(path.join(path.resolve(process.env.PAPERWIRE_NODE_MODULES), 'x.cjs'))
const { Webhook } = require('standardwebhooks')
for await (const line of readline.createInterface({ input: process.stdin })) {
  const { secret, headers, body } = JSON.parse(line)
  try {
    new Webhook(secret).verify(body, headers)
    console.log('ok')
  } catch (err) {
    console.log(String(err.message))
  }
}
