import OpenAI from 'openai'
import { openDatabase } from '../lib/database'
import { mailTeam } from '../lib/mail'

/** What customers wrote this week, in five lines. */
export async function run() {
  const db = openDatabase()
  const texts = await db('reviews').orderBy('at', 'desc').limit(100).pluck('text')
  await db.destroy()
  const client = new OpenAI()
  const { output_text: summary } = await client.responses.create({
    model: 'gpt-5-mini',
    input: `Summarize in five lines:\n${texts.join('\n')}`,
  })
  await mailTeam('Reviews', summary)
}
