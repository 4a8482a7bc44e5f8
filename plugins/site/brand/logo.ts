import { readFileSync, statSync } from 'node:fs'
import { XmlElement as Element, parseXml, type XmlElement } from '@rgrove/parse-xml'
import type { Logo } from '../../../views/brand.tsx'

/** The pages of the edge contain the whole logo, and fit into the first round trip of a connection. */
const largestLogoBytes = 7 * 1024

/** Beyond this, a logo leaves no room for the rest of a page's head. */
const widest = 8

/** Reads a logo. Throws an error that completes the sentence “the file …”. */
export function readLogo(file: string): Logo {
  const { size } = statSync(file)
  if (size > largestLogoBytes)
    throw new Error(
      `has ${(size / 1024).toFixed(1)} KiB; the most is ${largestLogoBytes / 1024} KiB, because pages that must be small contain it`,
    )
  const content = readFileSync(file)
  const png = content.subarray(0, 8).toString('latin1') === '\x89PNG\r\n\x1a\n'
  const ratio = png ? pngRatio(content) : svgRatio(content)
  if (!(ratio <= widest && ratio >= 1 / widest))
    throw new Error(`is ${ratio > 1 ? 'wider' : 'higher'} than ${widest} to 1`)
  return { type: png ? 'image/png' : 'image/svg+xml', base64: content.toString('base64'), ratio }
}

function pngRatio(content: Buffer): number {
  if (content.length < 33 || content.toString('latin1', 12, 16) !== 'IHDR')
    throw new Error('is not a whole PNG image')
  return content.readUInt32BE(16) / content.readUInt32BE(20)
}

/**
 * Browsers run no scripts of an image and load nothing for it. But a logo can also be opened by its address, as a page of our
 * site, and images of the web bring such things along by accident.
 */
function svgRatio(content: Buffer): number {
  const root = parseSvg(content)
  for (const element of elementsOf(root)) refuseActive(element)
  const { viewBox, width, height } = root.attributes
  const [, , wide, high] = (viewBox ?? '')
    .trim()
    .split(/[\s,]+/)
    .map(Number)
  const ratio = wide && high ? wide / high : pixels(width) / pixels(height)
  if (!(ratio > 0)) throw new Error('is an SVG image without a size; give its svg element a viewBox')
  return ratio
}

function parseSvg(content: Buffer): XmlElement {
  let root: XmlElement | null
  let hasStylesheet: boolean
  try {
    const document = parseXml(new TextDecoder('utf-8', { fatal: true }).decode(content))
    root = document.root
    hasStylesheet = document.children.some(({ type }) => type === 'pi')
  } catch (error) {
    const [reason = ''] = (error as Error).message.split('\n')
    throw new Error(`is neither a PNG nor an SVG image (${reason})`)
  }
  if (!root || local(root.name) !== 'svg' || !Object.values(root.attributes).includes(svgNamespace))
    throw new Error(`is not an SVG image: it does not begin with <svg xmlns="${svgNamespace}">`)
  if (hasStylesheet) throw new Error('has a processing instruction, which may load a stylesheet; remove it')
  return root
}

const svgNamespace = 'http://www.w3.org/2000/svg'

/** A length in pixels or without a unit; NaN for any other. */
function pixels(length: string | undefined): number {
  return Number(/^\s*([\d.]+)(px)?\s*$/.exec(length ?? '')?.[1] ?? Number.NaN)
}

function* elementsOf(root: XmlElement): Generator<XmlElement> {
  yield root
  for (const child of root.children) if (child instanceof Element) yield* elementsOf(child)
}

/** Elements that run scripts, hold other documents, or can turn an attribute into one that does. */
const activeElements = new Set([
  'a',
  'animate',
  'audio',
  'embed',
  'foreignobject',
  'handler',
  'iframe',
  'listener',
  'object',
  'script',
  'set',
  'video',
])

function refuseActive(element: XmlElement): void {
  const name = local(element.name)
  if (activeElements.has(name)) throw new Error(`contains <${element.name}>; a logo is only a drawing`)
  for (const [attribute, value] of Object.entries(element.attributes)) {
    const key = local(attribute)
    if (key.startsWith('on')) throw new Error(`has the attribute ${attribute}, which runs a script`)
    // A name with a prefix belongs to a drawing program, except for xlink:href.
    const isOthers = attribute.includes(':') && key !== 'href'
    const leadsOut = key === 'href' || key === 'src' ? !isInside(value) : !isOthers && pointsOutside(value)
    if (leadsOut) throw new Error(`loads something with the attribute ${attribute}; put it into the file`)
  }
  if (name === 'style' && pointsOutside(element.text))
    throw new Error('loads something with its styles; put it into the file')
}

/** A part of the same file, or an image in it. */
function isInside(address: string): boolean {
  return /^\s*(#|data:image\/(png|jpeg|gif|webp);base64,)/i.test(address)
}

function pointsOutside(style: string): boolean {
  const addresses = [...style.matchAll(/url\(\s*["']?([^"')]*)/gi)].map(([, address = '']) => address)
  // An escape could spell either of the words.
  return /@import|\\/i.test(style) || addresses.some(address => !isInside(address))
}

function local(name: string): string {
  return name.slice(name.indexOf(':') + 1).toLowerCase()
}
