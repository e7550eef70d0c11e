"""Classifiers that others trained, in Hugging Face's layout: read as data, exported once, run like our own.

source       "a directory | an id"  ->  a directory
folder       its files; no file of it is ever executed or unpickled
shape        config.json            ->  sizes, or why this model is not one that waypost runs
labels       mapping files          ->  labels in the order of the model's outputs
weights      safetensors            ->  tensors (adapter: base + LoRA)
bert, modernbert                        tensors -> ONNX graph
bundle       all inputs of an export, and their digest
export       bundle                 ->  a verified directory under WAYPOST_HOME
classifier   that directory         ->  probabilities for a text, or for its tokens
"""
