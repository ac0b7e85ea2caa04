"""Names that have columns and no shape: what logs, trains, loads, stores or decomposes, and attributes of tensors."""

from __future__ import annotations

from infonce_lint.semantic.shapes.columns import ALL
from infonce_lint.semantic.shapes.table import without_shape

# Python itself
without_shape("print format", makes_anew=ALL, stops=ALL, ends=ALL)
without_shape("str", makes_anew=ALL, stops=ALL)
without_shape("id getattr", makes_anew=ALL)
without_shape("next", keeps_rows=ALL, carries=ALL)
without_shape("set product map", carries=ALL, runs_argument="map", keeps_rows="set product")
without_shape(
    "permutations combinations_with_replacement pairwise cycle islice chain filter", keeps_rows=ALL, carries=ALL
)
without_shape("insert", accumulates=ALL)

# what logs, saves and loads
without_shape(
    "debug info warning write save update set_description add_scalar append_scalar", stops=ALL, ends=ALL
)  # a meter, a progress bar, a summary
without_shape("error log_dict log_metrics set_postfix", ends=ALL)
without_shape("DataLoader", makes_anew=ALL, stops=ALL, ends=ALL)
without_shape("Dataset BatchSampler RandomSampler step zero_grad", stops=ALL)

# what trains, and what runs a function
without_shape("backward", differentiates=ALL, gives_no_entries=ALL, asks_about=ALL, stops=ALL)
without_shape("grad gradient", differentiates=ALL, gives_no_entries="grad", holds_arguments="gradient")
without_shape("manual_backward minimize scale", differentiates=ALL)
without_shape("run experimental_run_v2 checkpoint vmap", runs_argument=ALL, maps_rows="vmap")
without_shape("kl_div KLDivLoss kl_divergence", combines=ALL)
without_shape("DataParallel train eval", wraps=ALL)

# attributes of a tensor
without_shape("device", gives_no_entries=ALL, asks_about=ALL, keeps_numbers=ALL, looks=ALL)
without_shape("dtype", gives_no_entries=ALL, asks_about=ALL, looks=ALL)
without_shape("ndim", gives_no_entries=ALL, asks_about=ALL)
without_shape("data_ptr is_cuda layout requires_grad new_tensor", gives_no_entries=ALL)
without_shape("__class__", gives_no_entries=ALL, keeps_stored=ALL)
without_shape("T H mT mH", turned=ALL)
without_shape("data real", same_tensor=ALL)

# layers and parameters
without_shape("Linear Embedding add_weight", stored=ALL, trained=ALL)
without_shape("get_variable", stored=ALL)
without_shape("Dense Conv1d Conv2d BatchNorm1d", trained=ALL)
without_shape("LogSigmoid Softplus", keeps_entries=ALL)
without_shape("hinge threshold", margin=ALL)

# operations on tensors that nobody has written the shape of
without_shape("inverse inv pinverse pinv solve cholesky lstsq svd eig eigh det logdet slogdet", decomposes=ALL)
without_shape("bincount histc", decomposes=ALL)
without_shape("batch_dot", compares=ALL)
without_shape("Normalize reduce all_reduce", keeps_rows=ALL)
without_shape("slice", keeps_rows=ALL, splits=ALL)
without_shape("dynamic_slice strided_slice unfold", splits=ALL)
without_shape("as_strided", reshapes=ALL)
without_shape("delete", indexes=ALL)
without_shape("true_divide_", scales=ALL)
without_shape("scatter_nd", makes_shaped=ALL, scatters=ALL)
without_shape("new", gives_no_entries=ALL, makes_of_sizes=ALL)
without_shape("eye_like sequence_mask", makes_mask=ALL)
without_shape("random_normal", makes_inputs=ALL, draws=ALL)
without_shape("random_uniform truncated_normal multivariate_normal multinomial", draws=ALL)
without_shape("sample choices integers rvs", draws=ALL)  # of a population, a distribution, a replay buffer
without_shape("shuffle", draws_order=ALL)
without_shape("Sum", operator=ALL)
without_shape("t_ transpose_ squeeze_ unsqueeze_ swapaxes_ swapdims_ resize_ resize_as_ set_", changes_own_shape=ALL)
