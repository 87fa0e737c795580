# add_layer(NAME SOURCES file... [LAYERS lower...] [LIBRARIES target...])
#
# One static library per layer. A layer sees its own folder and the public headers of the layers below it, nothing
# else: every layer's headers are staged as a directory of their own, so that an #include of a higher layer does not
# compile.
function(add_layer name)
    cmake_parse_arguments(LAYER "" "" "SOURCES;LAYERS;LIBRARIES" ${ARGN})
    set(stage ${CMAKE_BINARY_DIR}/include/${name})
    file(MAKE_DIRECTORY ${stage})
    file(CREATE_LINK ${PROJECT_SOURCE_DIR}/include/${name} ${stage}/${name} SYMBOLIC)
    add_library(quizrush_${name} STATIC ${LAYER_SOURCES})
    target_include_directories(quizrush_${name} PUBLIC ${stage} PRIVATE ${CMAKE_CURRENT_SOURCE_DIR})
    foreach(lower ${LAYER_LAYERS})
        target_link_libraries(quizrush_${name} PUBLIC quizrush_${lower})
    endforeach()
    target_link_libraries(quizrush_${name} PRIVATE quizrush_options ${LAYER_LIBRARIES})
endfunction()

# add_qr_test(LAYER/SUBJECT [LIBRARIES target...]): tests/unit/LAYER/test_SUBJECT.c, one program, one ctest entry. The
# label is `unit`; random walks and comparisons with a model, which take their time, have `walk`.
function(add_qr_test subject)
    cmake_parse_arguments(TEST "" "" "LIBRARIES" ${ARGN})
    get_filename_component(layer ${subject} DIRECTORY)
    get_filename_component(name ${subject} NAME)
    set(target test_${layer}_${name})
    add_executable(${target} ${PROJECT_SOURCE_DIR}/tests/unit/${layer}/test_${name}.c)
    set_target_properties(${target} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(${target} PRIVATE quizrush_options quizrush_test_support quizrush_${layer}
                          ${TEST_LIBRARIES} cmocka)
    add_test(NAME unit/${subject} COMMAND ${target})
    set(label unit)
    if(name MATCHES "_(walk|model)$")
        set(label walk)
    endif()
    set_tests_properties(unit/${subject} PROPERTIES LABELS ${label} TIMEOUT 120)
    # Files in memory: the units are about code, not about this machine's disk.
    if(IS_DIRECTORY /dev/shm)
        set_tests_properties(unit/${subject} PROPERTIES ENVIRONMENT TMPDIR=/dev/shm)
    endif()
endfunction()
