import { z } from 'zod';
import { newPassword, typedPassword } from '../users/password-rules';

export const resetPasswordBody = z
  .strictObject({ token: z.string().min(1).max(200), password: newPassword })
  .meta({ id: 'ResetPassword' });

export type ResetPassword = z.output<typeof resetPasswordBody>;

export const changePasswordBody = z
  .strictObject({ currentPassword: typedPassword, newPassword })
  .meta({ id: 'ChangePassword' });

export type ChangePassword = z.output<typeof changePasswordBody>;
