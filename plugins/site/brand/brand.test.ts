import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type Environment, parseConfig } from '../../../src/kernel/config.ts'
import { temporaryFolder } from '../../../src/testing/folder.ts'
import { longhouse } from '../../../views/brand.tsx'
import { siteConfig } from '../index.ts'
import { contrast, grounds } from './colour.ts'

const read = (env: Environment) => parseConfig(siteConfig, env)
const brand = (env: Environment) => {
  const { config, faults } = read(env)
  assert.deepEqual(faults, [])
  assert.ok(config)
  return config.brand
}

const svg = (body: string, head = 'viewBox="0 0 32 16"') =>
  `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" xmlns:inkscape="http://www.inkscape.org/namespaces/inkscape" ${head}>${body}</svg>`

/** A PNG image of one colour would do as well; only its head is read. */
function png(width: number, height: number, bytes = 60): Buffer {
  const content = Buffer.alloc(Math.max(bytes, 24))
  content.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1')
  content.writeUInt32BE(width, 16)
  content.writeUInt32BE(height, 20)
  return content.subarray(0, bytes)
}

/** The faults of a logo with this content, without the file's name. */
function faultsOf(t: TestContext, content: string | Buffer): readonly string[] {
  const file = join(temporaryFolder(t), 'logo')
  writeFileSync(file, content)
  return read({ BRAND_LOGO: file }).faults.map(fault => fault.replace(`BRAND_LOGO: ${file} `, ''))
}

test('without settings, the site is called Longhouse', () => {
  assert.deepEqual(brand({}), longhouse)
  assert.deepEqual(brand({ BRAND_NAME: '', BRAND_LOGO: '', BRAND_COLOR: '' }), longhouse)
})

test('a brand survives JSON, as it goes to other processes', t => {
  const file = join(temporaryFolder(t), 'logo.svg')
  writeFileSync(file, svg('<path d="M0 0h9v9z" fill="url(#g)"/>'))
  const found = brand({
    BRAND_NAME: ' Nightly & Sons ',
    BRAND_LOGO: file,
    BRAND_COLOR: '#1F5F8B',
    BRAND_SUPPORT: 'help@nightly.example',
  })
  assert.deepEqual(JSON.parse(JSON.stringify(found)), found)
  assert.equal(found.name, 'Nightly & Sons')
  assert.deepEqual([found.logo?.type, found.logo?.ratio], ['image/svg+xml', 2])
  assert.equal(Buffer.from(found.logo?.base64 ?? '', 'base64').toString(), readFileSync(file, 'utf8'))
  assert.equal(found.colours?.accent[0], '#1f5f8b')
  assert.deepEqual(found.support, { href: 'mailto:help@nightly.example', text: 'help@nightly.example' })
})

test('one colour can be read on light pages and, lightened, on dark ones; a second one is for dark pages', () => {
  for (const text of ['#1f5f8b', '#000', '#8a4a12', '#0000ff', '#1f5f8b,#9cf', '#b3261e, #ff9388']) {
    const { colours } = brand({ BRAND_COLOR: text })
    assert.ok(colours, text)
    const { accent, strong, onAccent } = colours
    for (const [at, scheme] of (['light', 'dark'] as const).entries()) {
      for (const ground of grounds[scheme]) {
        assert.ok(contrast(accent[at] ?? '', ground) >= 4.5, `${text}: ${accent[at]} on ${ground}`)
        assert.ok(contrast(strong[at] ?? '', ground) >= 4.5, `${text}: ${strong[at]} on ${ground}`)
      }
      for (const button of [accent, strong])
        assert.ok(contrast(onAccent[at] ?? '', button[at] ?? '') >= 4.5, `${text}: text on ${button[at]}`)
    }
  }
  assert.equal(brand({ BRAND_COLOR: '#1f5f8b,#9cf' }).colours?.accent[1], '#99ccff')
})

test('a colour that is hard to read is refused, with the nearest one that is not', () => {
  const [light] = read({ BRAND_COLOR: '#ffcc00' }).faults
  assert.match(
    light ?? '',
    /^BRAND_COLOR: #ffcc00 on light pages has a contrast of 1\.3 and text needs 4\.5; (#\w{6}) would do$/,
  )
  const both = read({ BRAND_COLOR: '#ffcc00,#101010' }).faults
  assert.equal(both.length, 2)
  assert.match(both[1] ?? '', /#101010 on dark pages has a contrast of 1\.0 /)
  const better = both.map(fault => /(#\w{6}) would do/.exec(fault)?.[1])
  assert.deepEqual(read({ BRAND_COLOR: better.join(',') }).faults, [])
  for (const text of ['blue', '#12', '#12345g', '#1f5f8b,', '#000,#fff,#fff', '1f5f8b', '#1f5f8b #fff']) {
    const { faults = [] } = read({ BRAND_COLOR: text })
    if (text === '#1f5f8b,') assert.deepEqual(faults, [])
    else
      assert.match(
        faults[0] ?? '',
        /^BRAND_COLOR: must be a colour such as #1f5f8b, or two with a comma/,
        text,
      )
  }
})

test('a logo is a small drawing', t => {
  const fine = [
    svg('<g><path d="M0 0" style="fill:url(#a)"/><use xlink:href="#b"/><title>Off to work</title></g>'),
    svg('<style>.a{fill:#fff;mask:url( "#m")}</style>'),
    svg('<image href="data:image/png;base64,AAAA"/>', 'width="10" height="20px"'),
    `<?xml version="1.0" encoding="UTF-8"?>\n<!-- made by hand -->\n${svg('<path inkscape:export-filename="C:\\a" d=""/>')}`,
    png(64, 32),
  ]
  for (const content of fine) assert.deepEqual(faultsOf(t, content), [], String(content))

  const refused: [content: string | Buffer, why: RegExp][] = [
    [svg('<script>alert(1)</script>'), /^contains <script>; a logo is only a drawing$/],
    [svg('<SCRIPT/>'), /contains <SCRIPT>/],
    [svg('<g><foreignObject/></g>'), /contains <foreignObject>/],
    [svg('<x:script xmlns:x="http://www.w3.org/2000/svg"/>'), /contains <x:script>/],
    [svg('<a href="#x"/>'), /contains <a>/],
    [svg('<set attributeName="href" to="javascript:alert(1)"/>'), /contains <set>/],
    [svg('', 'viewBox="0 0 1 1" onload="alert(1)"'), /has the attribute onload, which runs a script/],
    [svg('<path OnClick="1"/>'), /attribute OnClick/],
    [
      svg('<use href="https://example.com/a.svg#b"/>'),
      /loads something with the attribute href; put it into/,
    ],
    [svg('<use xlink:href="data:image/svg+xml;base64,AAAA"/>'), /attribute xlink:href/],
    [svg('<path fill="url(https://example.com/a)"/>'), /attribute fill/],
    [svg('<path style="fill:u\\72l(https://example.com)"/>'), /attribute style/],
    [svg('<style>@import "https://example.com/a.css"</style>'), /loads something with its styles/],
    [svg('<style><![CDATA[a{b:url(//example.com)}]]></style>'), /loads something with its styles/],
    [`<?xml-stylesheet href="https://example.com/a.css"?>${svg('')}`, /processing instruction/],
    [`<!DOCTYPE svg [<!ENTITY x "y">]>${svg('&x;')}`, /^is neither a PNG nor an SVG image/],
    [svg('<path'), /^is neither a PNG nor an SVG image \(.+\)$/],
    ['GIF89a', /^is neither a PNG nor an SVG image/],
    [Buffer.from([0xff, 0xd8, 0xff]), /^is neither a PNG nor an SVG image/],
    ['<html></html>', /^is not an SVG image: it does not begin with <svg xmlns=/],
    ['<svg viewBox="0 0 1 1"/>', /^is not an SVG image/],
    [svg('', ''), /without a size; give its svg element a viewBox/],
    [svg('', 'width="100%" height="100%"'), /without a size/],
    [svg('', 'viewBox="0 0 900 100"'), /^is wider than 8 to 1$/],
    [png(10, 100), /^is higher than 8 to 1$/],
    [png(0, 0), /than 8 to 1$/],
    [png(1, 1, 20), /^is not a whole PNG image$/],
    [png(9, 9, 7169), /^has 7\.0 KiB; the most is 7 KiB, because pages that must be small contain it$/],
    ['', /^is neither a PNG nor an SVG image/],
  ]
  for (const [content, why] of refused) {
    const faults = faultsOf(t, content)
    assert.equal(faults.length, 1, String(content))
    assert.match(faults[0] ?? '', why, String(content))
  }
  const missing = join(temporaryFolder(t), 'logo.svg')
  assert.deepEqual(read({ BRAND_LOGO: missing }).faults, [`BRAND_LOGO: ${missing} cannot be read (ENOENT)`])
})

test('names are short and in one line, and support is an address that opens', () => {
  for (const name of ['x'.repeat(41), ' ', 'a\nb', 'a\u2028b', 'a\u202eb']) {
    assert.deepEqual(
      read({ BRAND_NAME: name }).faults,
      ['BRAND_NAME: must be a name of 1 to 40 characters in one line'],
      name,
    )
  }
  const support: Record<string, [href: string, text: string] | null> = {
    'mailto:help@a.example': ['mailto:help@a.example', 'help@a.example'],
    'https://a.example/help/': ['https://a.example/help/', 'a.example/help'],
    'https://a.example': ['https://a.example/', 'a.example'],
    'javascript:alert(1)//@a.b': null,
    'ftp://a.example': null,
    'a.example': null,
    'https://user:word@a.example': null,
    'help@a': null,
    'help@a.example?subject=x': null,
    [`https://a.example/${'x'.repeat(200)}`]: null,
  }
  for (const [text, expected] of Object.entries(support)) {
    if (expected) {
      const [href, words] = expected
      assert.deepEqual(brand({ BRAND_SUPPORT: text }).support, { href, text: words })
    } else
      assert.match(
        read({ BRAND_SUPPORT: text }).faults.join(),
        /^BRAND_SUPPORT: must be an email address/,
        text,
      )
  }
})

test('the grounds that a colour is compared with are those of the stylesheet', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../views/assets/style/tokens.css'), 'utf8')
  for (const name of ['paper', 'surface', 'sunken']) {
    const [, light = '', dark = ''] =
      new RegExp(`--${name}: light-dark\\((#\\w{6}), (#\\w{6})\\)`).exec(css) ?? []
    assert.ok(
      grounds.light.some(ground => ground === light) && grounds.dark.some(ground => ground === dark),
      name,
    )
  }
})
