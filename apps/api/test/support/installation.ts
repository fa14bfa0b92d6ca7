import { randomBytes } from 'node:crypto';
import { type TestDb, useTestDb } from '#platform/testing';
import { ApiClient } from './api-client';
import { type Environment, MillraceProcess } from './millrace-process';

/** An installation on a database of the test server: Json number of processes that share it. */
export interface Installation {
  readonly testDb: TestDb;
  /** What every process of it is started with. */
  readonly environment: Environment;
  /** Starts one more process, which is stopped after the file. */
  start(
    environment?: Environment,
  ): Promise<{ readonly process: MillraceProcess; readonly server: ApiClient }>;
}

/** Gives a test file an installation; its processes are stopped before its database is taken away. */
export function useInstallation(environment: Environment = {}): () => Installation {
  const testDb = useTestDb();
  const secretKey = randomBytes(32).toString('base64');
  return () => {
    const shared: Environment = {
      DATABASE_URL: testDb().url,
      DATABASE_POOL_SIZE: '5',
      SECRET_KEY: secretKey,
      EGRESS_ALLOW_PRIVATE: '127.0.0.0/8',
      // All callers have one address here.
      RATE_LIMIT_SCALE: '10000',
      ...environment,
    };
    return {
      testDb: testDb(),
      environment: shared,
      start: async (own = {}) => {
        const started = await MillraceProcess.start({ ...shared, ...own });
        testDb().beforeClose(() => started.stop());
        return { process: started, server: new ApiClient(started.url) };
      },
    };
  };
}
