import sharp from 'sharp'

export async function run() {
  const png = await sharp({ create: { width: 8, height: 4, channels: 3, background: '#336699' } })
    .resize(4)
    .png()
    .toBuffer()
  const { format, width, height } = await sharp(png).metadata()
  return { format, width, height }
}
