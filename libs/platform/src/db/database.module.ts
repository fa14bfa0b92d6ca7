import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config';
import { Cells } from './cells';
import { cellDataSourceOptions, FIRST_CELL } from './data-source';
import { Db } from './db';
import { TenantDirectory } from './directory';

/** How `Cells` reaches every cell but the first, whose DataSource Nest opens. */
function connectionOf(config: Config, databaseUrl: string) {
  const applicationName = `millrace-${config.values.roles.join('-')}`;
  return { url: databaseUrl, poolSize: config.values.databasePoolSize, applicationName };
}

/** The database of the application: one DataSource of Nest's for the first cell, `Cells` and `Db` above it. */
@Module({})
export class DatabaseModule implements OnApplicationShutdown {
  constructor(private readonly cells: Cells) {}

  static forRoot(databaseUrl: string): DynamicModule {
    return {
      module: DatabaseModule,
      imports: [
        TypeOrmModule.forRootAsync({
          inject: [Config],
          useFactory: (config: Config) => ({
            ...cellDataSourceOptions({ ...connectionOf(config, databaseUrl), cellId: FIRST_CELL }),
            autoLoadEntities: true,
            // Whoever starts us has migrated this database a moment ago: waiting long would only hide a fault.
            retryAttempts: 3,
            retryDelay: 1_000,
          }),
        }),
      ],
      providers: [
        {
          provide: Cells,
          inject: [DataSource, Config],
          useFactory: (home: DataSource, config: Config) =>
            new Cells(home, connectionOf(config, databaseUrl)),
        },
        {
          provide: Db,
          inject: [Cells, Config],
          useFactory: (cells: Cells, config: Config) =>
            new Db(cells, { namedStatements: config.values.databaseNamedStatements }),
        },
        TenantDirectory,
      ],
      exports: [Cells, Db, TenantDirectory],
    };
  }

  /** Nest closes the first cell's pool in this same last hook; loops and requests have ended before it. */
  async onApplicationShutdown(): Promise<void> {
    await this.cells.close();
  }
}
