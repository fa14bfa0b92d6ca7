import { z } from 'zod';
import type { UserEntity } from './user.entity';

/** A person, as shown to themselves and to those who share a workspace with them. */
export const userView = z
  .object({
    id: z.uuid(),
    email: z.email(),
    name: z.string(),
    emailVerified: z.boolean(),
    createdAt: z.iso.datetime(),
  })
  .meta({ id: 'UserView' });

export type UserView = Readonly<z.output<typeof userView>>;

/** Never carries the password hash: every answer about a person comes from here. */
export function toUserView(
  user: Pick<UserEntity, 'id' | 'email' | 'name' | 'emailVerifiedAt' | 'createdAt'>,
): UserView {
  return {
    id: user.id,
    email: user.email,
    name: user.name,
    emailVerified: user.emailVerifiedAt !== null,
    createdAt: user.createdAt.toISOString(),
  };
}
