import { z } from 'zod';

/** Whether the runtime knows a time zone by this name; it knows the names of the IANA database. */
function isTimeZone(name: string): boolean {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone !== '';
  } catch {
    return false;
  }
}

const timeZone = z
  .string()
  // Offsets such as +02:00 are taken by the runtime, too, and know nothing of summer time.
  .regex(/^[A-Za-z]/, 'Not the name of a time zone, such as Europe/Berlin')
  .max(64)
  .refine(isTimeZone, 'Not a time zone of the IANA database, such as Europe/Berlin');
const invitationExpiryDays = z.number().int().min(1).max(60);

/**
 * What a workspace can decide for itself. What is not stored has its default. Reading asks less than writing: a zone
 * that a runtime has dropped must not hide the workspace.
 */
export const workspaceSettings = z
  .object({
    /** In which schedules and reports are meant. */
    timeZone: z.string().default('UTC'),
    /** How long an invitation is good when its sender does not say. */
    invitationExpiryDays: z.number().int().default(7),
  })
  .meta({ id: 'WorkspaceSettings' });

export type WorkspaceSettings = Readonly<z.output<typeof workspaceSettings>>;

/** Some of the settings: those that are not named stay as they are. */
export const workspaceSettingsChange = z
  .strictObject({ timeZone: timeZone.optional(), invitationExpiryDays: invitationExpiryDays.optional() })
  .meta({ id: 'WorkspaceSettingsChange' });

/** The settings as the column holds them, with defaults for the rest. */
export function settingsOf(stored: unknown): WorkspaceSettings {
  return workspaceSettings.parse(stored);
}
