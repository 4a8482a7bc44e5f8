import assert from 'node:assert/strict'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { registry, startInstance } from '../../engine.fixture.ts'

const job = (id: string, func: string) =>
  `jobRegistry.register({ id: '${id}', cron: '0 8 * * *', func: ${func}, secrets: ['KEY', 'PEM'] })\n`
const key = 'sk_live_51Hx"quoted'
const pem = '-----BEGIN KEY-----\nMIIEvQIBADANBgkqh\nkiG9w0BAQEFAASC\n-----END KEY-----\n'

test('the secrets of a run appear neither in its stored log and result nor in its live log', async t => {
  const { engine, dir, run, ended } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}${job(
        'tells',
        `async ({ secrets, log }) => {
          log('the key is', secrets.KEY, { key: secrets.KEY })
          process.stderr.write(secrets.PEM)
          for (const letter of secrets.KEY) {
            process.stdout.write(letter)
            await new Promise(done => setTimeout(done, 5))
          }
          log('\\nBasic ' + Buffer.from('me:' + secrets.KEY).toString('base64'))
          return { [secrets.KEY]: secrets.PEM, list: [encodeURIComponent(secrets.KEY)], number: 5, fine: 'yes' }
        }`,
      )}${job('throws', '({ secrets }) => { throw new Error("401 for " + secrets.KEY, { cause: new Error(secrets.PEM) }) }')}`,
    },
  })
  engine.secrets.set('KEY', key)
  engine.secrets.set('PEM', pem)
  const { id } = engine.run('tells', { trigger: 'manual' })
  let told = ''
  engine.openLog(id).follow(piece => {
    told += piece?.written ?? ''
  })
  const done = await ended(id)
  assert.equal(done.status, 'succeeded')
  assert.deepEqual(done.result, { '***': '***', list: ['***'], number: 5, fine: 'yes' })
  assert.match(engine.log(id), /the key is \*\*\* \{ key: '\*\*\*' \}\n/)
  assert.match(engine.log(id), /Basic [\w+/]{1,6}\*\*\*/)

  const failed = await run('throws')
  assert.equal(failed.error?.message, '401 for ***: ***')
  assert.match(failed.error?.stack ?? '', /Caused by: Error: \*\*\*/)

  const files = readdirSync(join(dir, 'runs')).map(name => readFileSync(join(dir, 'runs', name), 'utf8'))
  assert.ok(files.length > 0)
  for (const text of [...files, told, JSON.stringify(done), JSON.stringify(failed)]) {
    for (const part of ['sk_live', 'MIIEvQ', 'kiG9w0', 'c2tfbGl2']) assert.ok(!text.includes(part), part)
  }
})

test('a secret is masked even where its message is truncated', async t => {
  const cut = (id: string, error: string) => job(id, `({ secrets }) => { throw ${error} }`)
  const { engine, run } = await startInstance(t, {
    files: {
      'manifest.ts': `${registry}${cut('message', "new Error('x'.repeat(3990) + secrets.KEY)")}${cut(
        'stack',
        "Object.assign(new Error('m'), { stack: 'x'.repeat(15_990) + secrets.KEY })",
      )}`,
    },
  })
  engine.secrets.set('KEY', key)
  engine.secrets.set('PEM', pem)
  const { message } = (await run('message')).error ?? {}
  assert.equal(message, 'x'.repeat(3990))
  assert.equal((await run('stack')).error?.stack, 'x'.repeat(15_990))
})
