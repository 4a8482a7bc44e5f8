import assert from 'node:assert/strict'
import { rmSync, symlinkSync } from 'node:fs'
import { test } from 'node:test'
import { oneJob, registry } from '../engine.fixture.ts'
import { browser, startWeb } from '../web/web.fixture.ts'

test('a frame of a run leads to the file at its commit, with the line marked', async t => {
  const report = "export async function report() {\n  throw new Error('no rows')\n}\n"
  const { app, instance, signIn } = await startWeb(t, {
    files: {
      'manifest.ts': `${registry}import { report } from './jobs/my report.ts'\njobRegistry.register({ id: 'job', cron: '@daily', func: report })\n`,
      'jobs/my report.ts': report,
    },
  })
  const Cookie = await signIn()
  const page = async (path: string) => {
    const answer = await app.request(path, { headers: { ...browser, Cookie } })
    return { status: answer.status, html: await answer.text() }
  }
  const { id, commit } = await instance.run('job')
  const { html } = await page(`/runs/${id}`)
  const href = `/repo/history/${commit}/files/jobs/my%20report.ts?line=2&amp;column=9#L2`
  assert.ok(html.includes(`at report (<a href="${href}">jobs/my report.ts:2:9</a>)`), html)

  const address = href.replace('&amp;', '&').replace(/#.*/, '')
  const same = await page(address)
  assert.match(same.html, /<li id="L2" class="here">[\s\S]*?<mark>new<\/mark>/)
  assert.match(same.html, /has not changed since/)
  instance.write('jobs/my report.ts', '// moved\n// away\n')
  const changed = await page(address)
  assert.match(changed.html, /<mark>new<\/mark>[\s\S]*no rows/)
  assert.match(
    changed.html,
    /changed since[\s\S]*href="\/repo\/files\/jobs\/my%20report\.ts\?line=2&amp;column=9"/,
  )
  rmSync(instance.path('jobs/my report.ts'))
  assert.match((await page(address)).html, /no longer exists/)
  assert.match((await page(address.replace('line=2', 'line=9'))).html, /There is no line 9[\s\S]*has 3 lines/)
  assert.equal((await page(address.replace('my%20report', 'other'))).status, 404)
  assert.equal((await page(address.replace(String(commit), 'f'.repeat(40)))).status, 404)
  assert.equal((await page(address.replace('line=2', 'line=x'))).status, 422)
  assert.equal((await app.request(address)).status, 401)
})

test('files of a commit can be read as JSON and as they are, and run nothing in a browser', async t => {
  const large = Buffer.alloc(9 * 1024 * 1024, 'x')
  const { app, instance, signIn } = await startWeb(t, { files: { 'manifest.ts': oneJob('() => 1') } })
  instance.write('page.html', '<script>alert(1)</script>')
  instance.write('data.bin', 'a\0b')
  instance.write('large.txt', large.toString())
  symlinkSync('page.html', instance.path('link.html'))
  await instance.engine.reload()
  const { commit } = instance.engine.manifest()
  const Cookie = await signIn()
  const get = (path: string, headers = {}) =>
    app.request(`/api/jobs/repo/commits/${commit}/files/${path}`, { headers: { Cookie, ...headers } })

  assert.deepEqual(await (await get('page.html')).json(), {
    commit,
    path: 'page.html',
    content: '<script>alert(1)</script>',
  })
  const raw = await get('page.html?raw')
  assert.equal(await raw.text(), '<script>alert(1)</script>')
  assert.equal(raw.headers.get('content-type'), 'text/plain; charset=utf-8')
  assert.match(raw.headers.get('content-security-policy') ?? '', /sandbox/)
  const binary = await get('data.bin?raw&download')
  assert.deepEqual(Buffer.from(await binary.arrayBuffer()), Buffer.from('a\0b'))
  assert.match(binary.headers.get('content-disposition') ?? '', /^attachment; filename\*=UTF-8''data\.bin$/)
  assert.equal(
    await (await get('link.html?raw')).text(),
    'page.html',
    'where a link leads, and not what is there',
  )
  const refusals = await Promise.all(
    ['data.bin', 'large.txt', 'large.txt?raw', 'gone.txt', 'jobs'].map(path => get(path)),
  )
  assert.deepEqual(
    refusals.map(answer => answer.status),
    [415, 415, 415, 404, 404],
  )
  assert.match(await (refusals[2] as Response).text(), /more than 8 MiB in this commit/)
  const stranger = await app.request(`/api/jobs/repo/commits/${commit}/files/page.html`)
  assert.equal(stranger.status, 401)
})
