import { WorkflowHookEntity } from './workflow-hook.entity';
import { WorkflowVersionEntity } from './workflow-version.entity';
import { WorkflowEntity } from './workflow.entity';

/** The entity classes of the catalogue, for whoever opens the DataSource. */
export const catalogEntities = [WorkflowEntity, WorkflowVersionEntity, WorkflowHookEntity] as const;
