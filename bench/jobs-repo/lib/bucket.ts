import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3'

const client = new S3Client({ region: 'eu-central-1' })

/** Puts a file into the shop's bucket. */
export async function keep(name: string, content: Buffer | string): Promise<void> {
  await client.send(new PutObjectCommand({ Bucket: 'shop', Key: name, Body: content }))
}
