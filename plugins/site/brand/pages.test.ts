import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { browser, instanceId, startWeb } from '../../../runtime/web/web.fixture.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import type { Brand } from '../../../views/brand.tsx'
import type { InstanceSpec } from '../../provisioner/driver.ts'
import { testFleet } from '../../provisioner/fleet.fixture.ts'

const drawing = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 16"><path d="M0 0h48v16z"/></svg>'
const settings = {
  BRAND_NAME: 'Nightly <& Sons>',
  BRAND_COLOR: '#005f5f',
  BRAND_SUPPORT: 'https://nightly.example/help',
}

test('the control plane’s pages have the brand, and so have those of instances', async t => {
  const file = join(temporaryFolder(t), 'logo.svg')
  writeFileSync(file, drawing)
  const specs: InstanceSpec[] = []
  const fleet = await testFleet(t, {
    env: { ...settings, BRAND_LOGO: file },
    driver: real => ({
      ...real,
      create: spec => {
        specs.push(spec)
        return real.create(spec)
      },
    }),
  })
  const control = fleet.program.app
  const ask = (path: string) => control.request(path, { headers: { ...browser, Host: 'control.localhost' } })
  await checkPages(async path => ask(path), '/nowhere')

  await fleet.provision('acme')
  const given = specs[0]?.environment.LONGHOUSE_BRAND ?? ''
  assert.deepEqual(JSON.parse(given), fleet.program.site.brand)
  const instance = await startWeb(t, { settings: { LONGHOUSE_BRAND: given } })
  await checkPages(async path => instance.app.request(path, { headers: browser }), '/login')
})

test('a site without a brand is called Longhouse, and tells its instances nothing', async t => {
  const specs: InstanceSpec[] = []
  const fleet = await testFleet(t, {
    driver: real => ({
      ...real,
      create: spec => {
        specs.push(spec)
        return real.create(spec)
      },
    }),
  })
  const asked = { headers: { ...browser, Host: 'control.localhost' } }
  await fleet.provision('acme')
  assert.equal('LONGHOUSE_BRAND' in (specs[0]?.environment ?? {}), false)
  const page = await (await fleet.program.app.request('/nowhere', asked)).text()
  assert.match(page, /<img src="\/assets\/icon\.svg" width="22" height="22" alt=""\/>Longhouse <span/)
  assert.doesNotMatch(page, /<footer|colours/)
})

test('an instance refuses a brand that could put anything else into its pages', async t => {
  const brand: Brand = { name: 'N', logo: null, colours: null, support: null }
  const wrong: unknown[] = [
    'Nightly',
    { ...brand, name: '' },
    { ...brand, support: { href: 'javascript:alert(1)', text: 'x' } },
    {
      ...brand,
      colours: {
        accent: ['#fff}*{', '#000000'],
        strong: ['#000000', '#000000'],
        onAccent: ['#000000', '#000000'],
      },
    },
    { ...brand, logo: { type: 'text/html', base64: 'AAAA', ratio: 1 } },
  ]
  for (const value of wrong) {
    await assert.rejects(
      startWeb(t, { settings: { LONGHOUSE_BRAND: JSON.stringify(value) } }),
      /LONGHOUSE_BRAND: must be JSON with name, logo, colours and support, as the control plane writes it/,
      `${instanceId}: ${JSON.stringify(value)}`,
    )
  }
})

async function checkPages(ask: (path: string) => Promise<Response>, path: string): Promise<void> {
  const response = await ask(path)
  const page = await response.text()
  assert.match(page, /Nightly &lt;&amp; Sons&gt; <span class="place">/)
  assert.match(
    page,
    /<footer class="site">Help: <a href="https:\/\/nightly\.example\/help">nightly\.example\/help<\/a>/,
  )
  assert.doesNotMatch(page, /Longhouse(?! instance)/)

  const logo = /<img src="([^"]+)" width="66" height="22" alt=""\/>/.exec(page)?.[1] ?? ''
  assert.match(logo, /^\/assets\/logo-\w+\.svg$/)
  assert.ok(page.includes(`<link rel="icon" href="${logo}" type="image/svg+xml"/>`))
  const image = await ask(logo)
  assert.equal(image.headers.get('content-type'), 'image/svg+xml')
  assert.equal(image.headers.get('cache-control'), 'public, max-age=31536000, immutable')
  assert.equal(await image.text(), drawing)
  // Opened by its address, it is a page of the site, in which nothing inline runs.
  assert.match(image.headers.get('content-security-policy') ?? '', /script-src 'self';/)

  const style = /<link rel="stylesheet" href="(\/assets\/colours-\w+\.css)"\/>/.exec(page)?.[1] ?? ''
  const css = await ask(style)
  assert.equal(css.headers.get('content-type'), 'text/css; charset=utf-8')
  assert.match(await css.text(), /^:root\{--accent:light-dark\(#005f5f,#\w{6}\);--accent-strong:light-dark/)
  assert.doesNotMatch(response.headers.get('content-security-policy') ?? '', /unsafe/)
}
