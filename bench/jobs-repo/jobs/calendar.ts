import { google } from 'googleapis'
import { mailTeam } from '../lib/mail'

/** The appointments of the day. */
export async function run() {
  const auth = new google.auth.GoogleAuth({ scopes: ['https://www.googleapis.com/auth/calendar.readonly'] })
  const { data } = await google.calendar({ version: 'v3', auth }).events.list({ calendarId: 'primary' })
  await mailTeam('Today', (data.items ?? []).map(({ summary }) => summary).join('\n'))
}
