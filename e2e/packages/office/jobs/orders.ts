import { createReadStream } from 'node:fs'
import { Ajv } from 'ajv'
import addFormats from 'ajv-formats'
import { groupBy, mapValues, sumBy } from 'lodash-es'
import type { JobContext } from 'longhouse/jobs'
import { simpleParser } from 'mailparser'
import Papa from 'papaparse'
import { v5 as uuid } from 'uuid'
import schema from '../schema.json' with { type: 'json' }

interface Line {
  article: string
  count: number
  by: string
}

const ajv = new Ajv({ allErrors: true })
addFormats.default(ajv)
const isLine = ajv.compile<Line>(schema)

export async function orders({ log }: JobContext) {
  const mail = await simpleParser(createReadStream(new URL('../inbox/order.eml', import.meta.url)))
  const [attachment] = mail.attachments
  if (!attachment) throw new Error(`"${mail.subject}" has no attachment`)
  const { data, meta } = Papa.parse(attachment.content.toString('utf8'), {
    header: true,
    dynamicTyping: true,
    skipEmptyLines: true,
  })
  const refused: string[] = []
  const lines = data.filter((line): line is Line => {
    if (isLine(line)) return true
    refused.push(ajv.errorsText(isLine.errors, { dataVar: 'line' }))
    return false
  })
  log(`${lines.length} lines, ${refused.length} refused`)
  return {
    id: uuid(mail.messageId ?? '', uuid.URL),
    from: mail.from?.text,
    subject: mail.subject,
    html: mail.html,
    delimiter: meta.delimiter,
    counts: mapValues(groupBy(lines, 'article'), each => sumBy(each, 'count')),
    refused,
  }
}
