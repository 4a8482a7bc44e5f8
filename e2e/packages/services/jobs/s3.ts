import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand, S3Client } from '@aws-sdk/client-s3'
import { startHttp } from '../servers/http'

const listing = `<?xml version="1.0" encoding="UTF-8"?>
<ListBucketResult><Name>reports</Name><KeyCount>1</KeyCount><IsTruncated>false</IsTruncated>
<Contents><Key>2026/january.csv</Key><Size>4</Size></Contents></ListBucketResult>`

/** Puts, lists and gets an object; requests are signed. */
export async function run() {
  const { url, asked, stop } = await startHttp(({ method, path }) => {
    if (method === 'PUT') return { body: '', headers: { etag: '"abc"' } }
    if (path.includes('list-type=2')) return { type: 'application/xml', body: listing }
    if (path.includes('missing'))
      return { status: 404, type: 'application/xml', body: '<Error><Code>NoSuchKey</Code></Error>' }
    return { type: 'text/csv', body: 'a,b\n' }
  })
  const s3 = new S3Client({
    endpoint: url,
    region: 'eu-central-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'key', secretAccessKey: 'secret' },
  })
  const Bucket = 'reports'
  const put = await s3.send(new PutObjectCommand({ Bucket, Key: '2026/january.csv', Body: 'a,b\n' }))
  const list = await s3.send(new ListObjectsV2Command({ Bucket, Prefix: '2026/' }))
  const got = await s3.send(new GetObjectCommand({ Bucket, Key: '2026/january.csv' }))
  const text = await got.Body?.transformToString()
  const missing = await s3.send(new GetObjectCommand({ Bucket, Key: 'missing' })).catch(error => error.name)
  s3.destroy()
  stop()
  return {
    etag: put.ETag,
    keys: list.Contents?.map(each => [each.Key, each.Size]),
    text,
    missing,
    signed: asked.every(each => each.headers.authorization?.startsWith('AWS4-HMAC-SHA256 Credential=key/')),
  }
}
