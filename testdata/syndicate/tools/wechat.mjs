// What programs of others make of our side of WeChat. Reads one JSON object, prints one.
// usage: PAPERWIRE_NODE_MODULES=…/node_modules node wechat.mjs crypt|share < input
//
// crypt {token, key, app, encrypt: [text], decrypt: [{Encrypt, MsgSignature, TimeStamp, Nonce}]}:
// encrypts and decrypts with wechat-crypto and with node-easywechat.
// share {page, agent}: opens a page as WeChat does, with weixin-js-sdk and a bridge that
// notes what it is asked.
import fs from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import { createRequire } from 'node:module'

const modules = path.resolve(process.env.PAPERWIRE_NODE_MODULES)
const require = createRequire(path.join(modules, 'x.cjs'))
const input = JSON.parse(fs.readFileSync(0, 'utf8'))

const tasks = {
  crypt({ token, key, app, encrypt, decrypt }) {
    const Crypto = require('wechat-crypto')
    const Encryptor = require(path.join(modules, 'node-easywechat/dist/Core/Encryptor.js'))
    const one = new Crypto(token, key, app)
    const two = new Encryptor(app, token, key, app)
    const out = { encrypted: [], decrypted: [] }
    encrypt.forEach((text, i) => {
      const stamp = String(1700000000 + i)
      const nonce = 'n' + i
      const box = one.encrypt(text)
      out.encrypted.push({ Encrypt: box, MsgSignature: one.getSignature(stamp, nonce, box), TimeStamp: stamp, Nonce: nonce })
      const xml = two.encrypt(text, nonce, stamp)
      const field = (name) => xml.match(new RegExp(`<${name}>(?:<!\\[CDATA\\[)?(.*?)(?:\\]\\]>)?</${name}>`))[1]
      out.encrypted.push({ Encrypt: field('Encrypt'), MsgSignature: field('MsgSignature'), TimeStamp: field('TimeStamp'), Nonce: field('Nonce') })
    })
    for (const d of decrypt) {
      if (one.getSignature(d.TimeStamp, d.Nonce, d.Encrypt) !== d.MsgSignature) throw new Error('wechat-crypto: another signature')
      const { message, id } = one.decrypt(d.Encrypt)
      if (id !== app) throw new Error('wechat-crypto: another account: ' + id)
      out.decrypted.push([message, two.decrypt(d.Encrypt, d.MsgSignature, d.Nonce, d.TimeStamp)])
    }
    return out
  },

  async share({ page, agent }) {
    const html = await (await fetch(page)).text()
    const tag = html.match(/<script src="([^"]*\/wechat\/share\.js)"(?: data-card="([^"]*)")? defer><\/script>/)
    if (!tag) throw new Error('the page has no share.js')
    const out = { asked: [], loaded: [], fetched: [], warnings: [] }
    const sdk = fs.readFileSync(require.resolve('weixin-js-sdk'), 'utf8')
    const base = new URL(page)
    const window = { location: { href: page + '#top' }, navigator: { userAgent: agent, platform: 'iPhone' } }
    Object.assign(window, {
      window,
      console: { warn: (s) => out.warnings.push(s), log() {} },
      Image: class {},
      fetch: (url, o) => {
        out.fetched.push(url)
        return fetch(new URL(url, base), o)
      },
      document: {
        title: 'title',
        addEventListener() {},
        createElement: () => ({}),
        querySelector: () => null,
        currentScript: { src: new URL(tag[1], base).href, getAttribute: (name) => (name === 'data-card' ? tag[2] : null) },
        head: {
          appendChild(s) {
            out.loaded.push(s.src)
            vm.runInContext('(function (module) {' + sdk + '\nwindow.wx = module.exports })({})', context)
            setTimeout(s.onload)
          },
        },
      },
      WeixinJSBridge: {
        on() {},
        invoke(name, args, answer) {
          out.asked.push({ name, args: { ...args } })
          setTimeout(() => answer({ errMsg: name + ':ok' }))
        },
      },
    })
    const context = vm.createContext(window)
    vm.runInContext(await (await fetch(new URL(tag[1], base))).text(), context)
    for (let n = 0; n < 100 && out.asked.filter((a) => a.name.startsWith('update')).length < 2 && /MicroMessenger/.test(agent); n++) {
      await new Promise((done) => setTimeout(done, 50))
    }
    return out
  },
}
console.log(JSON.stringify(await tasks[process.argv[2]](input)))
