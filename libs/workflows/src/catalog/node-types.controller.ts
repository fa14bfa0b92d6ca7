import { Controller, Get } from '@nestjs/common';
import { ApiResponse, ApiTags } from '@nestjs/swagger';
import { definitionJsonSchema } from '../definition/json-schema';
import { NodeKindRegistry } from '../nodes/registry';
import { nodeTypesView, type NodeTypeView, toNodeTypeView, workflowSchemaView } from './node-types.dto';

/** What an editor must know of this installation. The same for every workspace, and for as long as the process lives. */
@ApiTags('workflows')
@Controller('v1')
export class NodeTypesController {
  readonly #nodeTypes: readonly NodeTypeView[];
  readonly #schema: Readonly<Record<string, unknown>>;

  constructor(kinds: NodeKindRegistry) {
    this.#nodeTypes = kinds.list().map(toNodeTypeView);
    this.#schema = definitionJsonSchema(kinds);
  }

  /** The kinds of node there are. */
  @Get('node-types')
  @ApiResponse({ status: 200, standardSchema: nodeTypesView })
  list(): { readonly data: readonly NodeTypeView[] } {
    return { data: this.#nodeTypes };
  }

  /** The JSON Schema of a workflow's definition. */
  @Get('workflow-schema')
  @ApiResponse({ status: 200, standardSchema: workflowSchemaView })
  schema(): Readonly<Record<string, unknown>> {
    return this.#schema;
  }
}
