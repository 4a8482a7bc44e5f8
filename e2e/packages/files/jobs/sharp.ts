import { createHash } from 'node:crypto'
import sharp from 'sharp'

/** Draws, resizes, writes a file, and reads it again. */
export async function run() {
  const drawing = Buffer.from('<svg width="64" height="32"><rect width="32" height="32" fill="#c00"/></svg>')
  const file = 'data/thumbnail.webp'
  await sharp(drawing).resize(16).flatten({ background: '#fff' }).webp({ lossless: true }).toFile(file)
  const { width, height, format } = await sharp(file).metadata()
  const pixels = await sharp(file).raw().toBuffer()
  return { width, height, format, first: [...pixels.subarray(0, 3)], hash: hashOf(pixels) }
}

const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')
